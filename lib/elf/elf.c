/*
 * Checking an ELF image and walking its segments.
 *
 * Every number of the file is compared in a form that cannot overflow (inside()), and headers
 * are copied out before use, because the image has no particular alignment.
 *
 * Not here: symbols (symbol.c).
 * Runs in: the loader, the CPU driver, native domains, the build host.
 */
#include <elf/elf.h>
#include <elf/format.h>

#include <string.h>

static const char *const error_text[] = {
	[ELF_OK] = "is fine",
	[ELF_NOT_ELF] = "is not an ELF file",
	[ELF_NOT_64] = "is a 32-bit ELF file; 64-bit programs are needed",
	[ELF_NOT_LITTLE] = "is a big-endian ELF file",
	[ELF_BAD_VERSION] = "is of an unknown version of ELF",
	[ELF_OTHER_MACHINE] = "is an ELF file of another machine; x86-64 is needed",
	[ELF_NOT_PROGRAM] = "is an ELF file but not a program (object file or core dump)",
	[ELF_TRUNCATED] = "is truncated: its headers name bytes beyond its end",
	[ELF_BAD_HEADER] = "has a header with an impossible size",
	[ELF_NO_SEGMENT] = "has nothing to load",
	[ELF_BAD_SIZE] = "has a segment that is longer in the file than in memory",
	[ELF_BAD_ADDRESS] = "has a segment that wraps around the end of the address space",
	[ELF_BAD_ALIGNMENT] = "has a segment whose file offset, address and alignment disagree",
	[ELF_OVERLAP] = "has segments that overlap in a page or are out of order",
	[ELF_WRITABLE_CODE] = "has a segment that is both writable and executable",
	[ELF_BAD_ENTRY] = "has its entry point outside executable code",
	[ELF_BAD_INTERPRETER] = "has an interpreter name that is empty or has no end",
};

const char *elf_strerror(enum elf_error error)
{
	if ((size_t)error >= ARRAY_SIZE(error_text))
		return "has an unknown error";
	return error_text[error];
}

static bool is_power_of_two(u64 x)
{
	return x != 0 && (x & (x - 1)) == 0;
}

static enum elf_error check_ident(const struct elf_header *h, u64 len)
{
	static const u8 magic[4] = {0x7f, 'E', 'L', 'F'};

	if (memcmp(h->ident, magic, sizeof(magic)) != 0)
		return ELF_NOT_ELF;
	if (len < sizeof(h->ident))
		return ELF_TRUNCATED;
	if (h->ident[ELF_EI_CLASS] != ELF_CLASS_64)
		return ELF_NOT_64;
	if (h->ident[ELF_EI_DATA] != ELF_DATA_LITTLE)
		return ELF_NOT_LITTLE;
	if (h->ident[ELF_EI_VERSION] != ELF_VERSION_CURRENT)
		return ELF_BAD_VERSION;
	return len < sizeof(*h) ? ELF_TRUNCATED : ELF_OK;
}

static enum elf_error check_header(const struct elf_header *h, u64 len)
{
	enum elf_error err = check_ident(h, len);

	if (err)
		return err;
	if (h->machine != ELF_MACHINE_X86_64)
		return ELF_OTHER_MACHINE;
	if (h->version != ELF_VERSION_CURRENT)
		return ELF_BAD_VERSION;
	if (h->type != ELF_TYPE_EXEC && h->type != ELF_TYPE_DYN)
		return ELF_NOT_PROGRAM;
	if (h->phnum == 0)
		return ELF_NO_SEGMENT;
	if (h->phentsize != sizeof(struct elf_phdr))
		return ELF_BAD_HEADER;
	if (!elf_inside(len, h->phoff, h->phnum * sizeof(struct elf_phdr)))
		return ELF_TRUNCATED;
	return ELF_OK;
}

static enum elf_error check_load(const struct elf *elf, const struct elf_segment *s,
				 enum elf_policy policy)
{
	if (s->filesz > s->memsz)
		return ELF_BAD_SIZE;
	if (!elf_inside(elf->len, s->offset, s->filesz))
		return ELF_TRUNCATED;
	/* The last page must have an address behind it, so that rounding up cannot wrap. */
	if (s->memsz > UINT64_MAX - PAGE_SIZE || s->vaddr > UINT64_MAX - PAGE_SIZE - s->memsz)
		return ELF_BAD_ADDRESS;
	if (s->align > 1 && !is_power_of_two(s->align))
		return ELF_BAD_ALIGNMENT;
	if (((s->offset ^ s->vaddr) & (PAGE_SIZE - 1)) != 0)
		return ELF_BAD_ALIGNMENT;
	if (policy == ELF_NATIVE && (s->flags & ELF_PF_W) && (s->flags & ELF_PF_X))
		return ELF_WRITABLE_CODE;
	return ELF_OK;
}

/* gABI, chapter 5: loadable segments appear in ascending order of address. */
static enum elf_error check_loads(struct elf *elf, enum elf_policy policy)
{
	struct elf_segment s;
	u32 cursor = 0;
	bool any = false;

	while (elf_next_segment(elf, &cursor, ELF_PT_LOAD, &s)) {
		enum elf_error err = check_load(elf, &s, policy);

		if (err)
			return err;
		if (s.memsz == 0)
			continue;
		if (any && ROUND_DOWN(s.vaddr, PAGE_SIZE) < elf->high)
			return ELF_OVERLAP;
		if (!any)
			elf->low = ROUND_DOWN(s.vaddr, PAGE_SIZE);
		elf->high = ROUND_UP(s.vaddr + s.memsz, PAGE_SIZE);
		any = true;
	}
	return any ? ELF_OK : ELF_NO_SEGMENT;
}

static enum elf_error check_entry(const struct elf *elf)
{
	struct elf_segment s;
	u32 cursor = 0;

	if (elf->type == ELF_TYPE_DYN && elf->entry == 0)
		return ELF_OK; /* a shared object need not have one */
	while (elf_next_segment(elf, &cursor, ELF_PT_LOAD, &s)) {
		if ((s.flags & ELF_PF_X) && elf->entry - s.vaddr < s.filesz)
			return ELF_OK;
	}
	return ELF_BAD_ENTRY;
}

static enum elf_error check_interpreter(const struct elf *elf)
{
	struct elf_segment s;
	u32 cursor = 0;

	while (elf_next_segment(elf, &cursor, ELF_PT_INTERP, &s)) {
		const char *path = elf_segment_data(elf, &s);

		if (!path)
			return ELF_TRUNCATED;
		if (s.filesz < 2 || path[0] == '\0' || path[s.filesz - 1] != '\0')
			return ELF_BAD_INTERPRETER;
	}
	return ELF_OK;
}

enum elf_error elf_open(struct elf *elf, const void *image, u64 len, enum elf_policy policy)
{
	struct elf_header h = {0};
	struct elf e = {.image = image, .len = len};
	enum elf_error err;

	if (len > 0)
		memcpy(&h, image, MIN(len, sizeof(h)));
	err = check_header(&h, len);
	if (err)
		return err;
	e.type = h.type;
	e.nsegments = h.phnum;
	e.entry = h.entry;
	e.phdr_off = h.phoff;

	err = check_loads(&e, policy);
	if (!err && policy == ELF_NATIVE)
		err = check_entry(&e);
	if (!err)
		err = check_interpreter(&e);
	if (err)
		return err;
	elf_find_symbols(&e, &h);
	*elf = e;
	return ELF_OK;
}

bool elf_next_segment(const struct elf *elf, u32 *cursor, u32 type, struct elf_segment *segment)
{
	struct elf_phdr p;

	while (*cursor < elf->nsegments) {
		memcpy(&p, elf->image + elf->phdr_off + (u64)*cursor * sizeof(p), sizeof(p));
		++*cursor;
		if (p.type != type)
			continue;
		*segment = (struct elf_segment){
			.type = p.type,
			.flags = p.flags,
			.offset = p.offset,
			.vaddr = p.vaddr,
			.filesz = p.filesz,
			.memsz = p.memsz,
			.align = p.align,
		};
		return true;
	}
	return false;
}

const void *elf_segment_data(const struct elf *elf, const struct elf_segment *segment)
{
	if (!elf_inside(elf->len, segment->offset, segment->filesz))
		return NULL;
	return elf->image + segment->offset;
}

const char *elf_interpreter(const struct elf *elf)
{
	struct elf_segment s;
	u32 cursor = 0;

	if (!elf_next_segment(elf, &cursor, ELF_PT_INTERP, &s))
		return NULL;
	return elf_segment_data(elf, &s);
}

u64 elf_phdr_address(const struct elf *elf)
{
	u64 bytes = elf->nsegments * sizeof(struct elf_phdr);
	struct elf_segment s;
	u32 cursor = 0;

	while (elf_next_segment(elf, &cursor, ELF_PT_LOAD, &s)) {
		if (elf->phdr_off >= s.offset &&
		    elf_inside(s.filesz, elf->phdr_off - s.offset, bytes))
			return s.vaddr + (elf->phdr_off - s.offset);
	}
	return 0;
}
