/*
 * Symbols of an ELF image: for backtraces, and for tools that look an address up.
 *
 * The table is .symtab or, in a stripped shared object, .dynsym. Its names are accepted only
 * if the last byte of the string table is NUL, so that every name inside it has an end.
 *
 * Runs in: the loader, the CPU driver, native domains, the build host.
 */
#include <elf/elf.h>
#include <elf/format.h>

#include <string.h>

static bool read_section(const struct elf *elf, const struct elf_header *h, u32 index,
			 struct elf_shdr *section)
{
	if (index >= h->shnum)
		return false;
	memcpy(section, elf->image + h->shoff + (u64)index * sizeof(*section), sizeof(*section));
	return true;
}

/* Take the symbol table in section @s if it and its strings are sound. */
static bool take_table(struct elf *elf, const struct elf_header *h, const struct elf_shdr *s)
{
	struct elf_shdr names;

	if (s->entsize != sizeof(struct elf_sym) || !elf_inside(elf->len, s->offset, s->size))
		return false;
	if (!read_section(elf, h, s->link, &names) || names.type != ELF_SHT_STRTAB)
		return false;
	if (names.size == 0 || !elf_inside(elf->len, names.offset, names.size))
		return false;
	if (elf->image[names.offset + names.size - 1] != '\0')
		return false;
	elf->symbol_off = s->offset;
	elf->nsymbols = s->size / sizeof(struct elf_sym);
	elf->string_off = names.offset;
	elf->string_len = names.size;
	return true;
}

void elf_find_symbols(struct elf *elf, const struct elf_header *h)
{
	static const u32 wanted[] = {ELF_SHT_SYMTAB, ELF_SHT_DYNSYM};
	struct elf_shdr s;

	if (h->shentsize != sizeof(s) || !elf_inside(elf->len, h->shoff, h->shnum * sizeof(s)))
		return;
	for (size_t w = 0; w < ARRAY_SIZE(wanted); w++) {
		for (u32 i = 0; read_section(elf, h, i, &s); i++) {
			if (s.type == wanted[w] && take_table(elf, h, &s))
				return;
		}
	}
}

/* Read symbol @index; false if it is undefined, has no name, or is neither code nor data. */
static bool read_symbol(const struct elf *elf, u64 index, struct elf_sym *sym)
{
	memcpy(sym, elf->image + elf->symbol_off + index * sizeof(*sym), sizeof(*sym));
	return sym->shndx != ELF_SHN_UNDEF && sym->name != 0 && sym->name < elf->string_len &&
	       (sym->info & 15) <= ELF_STT_FUNC;
}

static const char *symbol_name(const struct elf *elf, const struct elf_sym *sym)
{
	return (const char *)elf->image + elf->string_off + sym->name;
}

/* The address where the loadable segment with @addr begins. */
static bool segment_start(const struct elf *elf, u64 addr, u64 *start)
{
	struct elf_segment s;
	u32 cursor = 0;

	while (elf_next_segment(elf, &cursor, ELF_PT_LOAD, &s)) {
		if (addr - s.vaddr < s.memsz) {
			*start = s.vaddr;
			return true;
		}
	}
	return false;
}

bool elf_symbol_at(const struct elf *elf, u64 addr, const char **name, u64 *offset)
{
	struct elf_sym sym, best = {0};
	u64 start;
	bool found = false;

	if (!segment_start(elf, addr, &start))
		return false;
	for (u64 i = 0; i < elf->nsymbols; i++) {
		if (!read_symbol(elf, i, &sym) || (sym.info & 15) == ELF_STT_OBJECT)
			continue;
		if (sym.value > addr || sym.value < start)
			continue;
		if (sym.size != 0 && addr - sym.value >= sym.size)
			continue;
		if (found && (sym.value < best.value ||
			      (sym.value == best.value && (best.size != 0 || sym.size == 0))))
			continue;
		best = sym;
		found = true;
	}
	if (!found)
		return false;
	*name = symbol_name(elf, &best);
	*offset = addr - best.value;
	return true;
}

bool elf_symbol_named(const struct elf *elf, const char *name, u64 *addr)
{
	struct elf_sym sym;
	bool found = false;

	for (u64 i = 0; i < elf->nsymbols; i++) {
		if (!read_symbol(elf, i, &sym) || strcmp(symbol_name(elf, &sym), name) != 0)
			continue;
		*addr = sym.value;
		found = true;
		if (sym.info >> 4 != ELF_STB_LOCAL)
			break;
	}
	return found;
}
