/*
 * The symbol table that a kernel carries for its backtraces.
 *
 * Printed as assembly of what the kernel declares as
 *
 *   struct ksym { u32 off; u32 name; };   off: from _text; name: index into ksym_names
 *   extern const struct ksym ksyms[];     ascending by off
 *   extern const u32 nksyms;
 *   extern const char ksym_names[];
 *
 * in the section .rodata.ksyms, which the kernel's linker script must put behind the text, so
 * that a table of any size leaves the text where it is.
 */
#include "symbols.h"
#include "util.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct symbol {
	u64 address;
	const char *name;
};

struct symbols {
	struct symbol *v;
	size_t n;
	u64 text; /* the address of _text */
};

/* The section headers of @b if it is an ELF64 file that holds them and their contents whole. */
static const Elf64_Shdr *check_elf(const struct buf *b, const char *path, const Elf64_Ehdr **header)
{
	const Elf64_Ehdr *eh = (const void *)b->v;
	const Elf64_Shdr *sh;

	if (b->n < sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG) ||
	    eh->e_ident[EI_CLASS] != ELFCLASS64)
		die("%s is not an ELF64 file", path);
	if (eh->e_shoff > b->n || eh->e_shnum > (b->n - eh->e_shoff) / sizeof(*sh))
		die("%s is cut short", path);
	sh = (const void *)(b->v + eh->e_shoff);
	for (size_t i = 0; i < eh->e_shnum; i++) {
		if (sh[i].sh_type != SHT_NOBITS &&
		    (sh[i].sh_offset > b->n || sh[i].sh_size > b->n - sh[i].sh_offset))
			die("%s is cut short", path);
	}
	*header = eh;
	return sh;
}

static bool is_function(const Elf64_Sym *s, const Elf64_Shdr *sh, size_t nsh, const char *name)
{
	int type = ELF64_ST_TYPE(s->st_info);

	if (s->st_shndx == SHN_UNDEF || s->st_shndx >= nsh ||
	    !(sh[s->st_shndx].sh_flags & SHF_EXECINSTR))
		return false;
	return (type == STT_FUNC || type == STT_NOTYPE) && name[0] && name[0] != '.' &&
	       name[0] != '$';
}

/* By address; of several names for one, the first in the alphabet. */
static int compare_symbols(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void read_symtab(struct symbols *out, const struct buf *b, const Elf64_Ehdr *eh,
			const Elf64_Shdr *sh, const Elf64_Shdr *table)
{
	const Elf64_Sym *s = (const void *)(b->v + table->sh_offset);
	const Elf64_Shdr *strings = &sh[table->sh_link < eh->e_shnum ? table->sh_link : 0];

	out->v = alloc(table->sh_size / sizeof(*s) * sizeof(*out->v));
	for (size_t i = 0; i < table->sh_size / sizeof(*s); i++) {
		const char *name = b->v + strings->sh_offset + s[i].st_name;

		if (s[i].st_name >= strings->sh_size)
			continue;
		if (strcmp(name, "_text") == 0)
			out->text = s[i].st_value;
		if (is_function(&s[i], sh, eh->e_shnum, name))
			out->v[out->n++] = (struct symbol){s[i].st_value, name};
	}
}

static void read_symbols(struct symbols *out, const char *path)
{
	struct buf b = {0};
	const Elf64_Ehdr *eh;
	const Elf64_Shdr *sh;

	if (file_read(path, &b))
		die("cannot read %s", path);
	sh = check_elf(&b, path, &eh);
	for (size_t i = 0; i < eh->e_shnum; i++) {
		if (sh[i].sh_type == SHT_SYMTAB)
			read_symtab(out, &b, eh, sh, &sh[i]);
	}
	if (!out->text)
		die("%s has no symbol _text: its linker script must define it where the text "
		    "begins",
		    path);
	qsort(out->v, out->n, sizeof(*out->v), compare_symbols);
}

/* The table of @s as assembly. One name an address; what lies below _text is left out. */
static struct buf print_table(const struct symbols *s)
{
	struct buf table = {0}, names = {0};
	u64 last = 0;
	u32 n = 0, name_off = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].address < s->text || (n && s->v[i].address == last))
			continue;
		last = s->v[i].address;
		buf_addf(&table, "\t.long\t0x%lx, %u\n", last - s->text, name_off);
		buf_addf(&names, "\t.asciz\t\"%s\"\n", s->v[i].name);
		name_off += (u32)strlen(s->v[i].name) + 1;
		n++;
	}
	buf_add(&names, "", 0);
	buf_add(&table, "", 0);
	char *text = strf("\t.section .rodata.ksyms, \"a\"\n"
			  "\t.globl\tksyms, nksyms, ksym_names\n\t.balign\t8\nksyms:\n%s"
			  "nksyms:\n\t.long\t%u\nksym_names:\n%s\t.byte\t0\n"
			  "\t.section .note.GNU-stack, \"\"\n",
			  table.v, n, names.v);

	return (struct buf){.v = text, .n = strlen(text)};
}

int symbols_main(int argc, char **argv)
{
	bool check = argc == 4 && strcmp(argv[1], "--check") == 0;
	struct symbols s = {0};
	struct buf want, have = {0};

	if (argc > 2 && !check)
		die("usage: hake symbols [ELF] | hake symbols --check TABLE ELF");
	if (argc > 1)
		read_symbols(&s, argv[argc - 1]);
	want = print_table(&s);
	if (!check) {
		fwrite(want.v, 1, want.n, stdout);
		return 0;
	}
	if (file_read(argv[2], &have) || have.n != want.n || memcmp(have.v, want.v, want.n))
		die("%s: its symbol table is not that of its text: its linker script must put "
		    ".rodata.ksyms behind the text, and _text before it",
		    argv[3]);
	return 0;
}
