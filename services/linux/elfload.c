/*
 * Mapping ELF programs: fixed, position-independent, with an interpreter or without.
 *
 * The file is untrusted. Its headers are read and checked here; segments are mapped, not read.
 * Everything goes into a new address space, so that a failure changes nothing.
 *
 * Runs in: the personality's domain. Source: System V ABI, chapters 4 and 5; elf(5).
 */
#include "exec.h"
#include "random.h"
#include "uaccess.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <elf/format.h>

#define PHDRS_MAX     1024u
#define PIE_BASE      0x555555554000ul /* Linux's ELF_ET_DYN_BASE: two thirds of the space */
#define RANDOM_PAGES  (1ul << 28)      /* of mappings and programs: mmap_rnd_bits */
#define STACK_RANDOM  (16 * GiB)
#define BRK_RANDOM    (32 * MiB)
#define STACK_GAP_MIN (128 * MiB)
/* Bytes of a segment that is brought in whole: a program touches most of a small one as it begins.
 */
#define PREFAULT_READ  (1 * MiB)
#define PREFAULT_WRITE (64 * KiB)

struct image {
	struct file *file;
	struct backing *backing;
	struct elf_header header;
	struct elf_phdr *phdrs;
	u64 low, high; /* of its segments, on pages, without bias */
	u64 bias;
	u64 end; /* of its data, with bias */
};

/* Of addresses: none with setarch -R. */
static u64 random_below(const struct exec *e, u64 limit)
{
	u64 value;

	if (e->thread->personality & ADDR_NO_RANDOMIZE)
		return 0;
	random_bytes(&value, sizeof(value));
	return ROUND_DOWN(value % limit, PAGE_SIZE);
}

/* ---- reading the headers ---- */

static int read_all(struct exec *e, struct file *file, void *to, u64 len, u64 offset)
{
	s64 n = file_read_kernel(&e->thread->vfs, file, to, len, (s64)offset);

	return n == (s64)len ? 0 : (n < 0 && n != -EFAULT ? (int)n : -ENOEXEC);
}

static int check_header(const struct elf_header *h)
{
	static const u8 ident[] = {0x7f, 'E', 'L', 'F', 2 /* 64 bits */, 1 /* little endian */};

	if (memcmp(h->ident, ident, sizeof(ident)) || h->machine != ELF_MACHINE_X86_64)
		return -ENOEXEC;
	if ((h->type != ELF_TYPE_EXEC && h->type != ELF_TYPE_DYN) ||
	    h->phentsize != sizeof(struct elf_phdr) || h->phnum == 0 || h->phnum > PHDRS_MAX)
		return -ENOEXEC;
	return 0;
}

static int check_segment(struct image *image, const struct elf_phdr *p)
{
	u64 end = p->vaddr + p->memsz;

	if (p->filesz > p->memsz || end < p->vaddr || end > MM_TOP ||
	    (p->vaddr - p->offset) % PAGE_SIZE || p->offset > INT64_MAX - p->filesz)
		return -ENOEXEC;
	image->low = MIN(image->low, ROUND_DOWN(p->vaddr, PAGE_SIZE));
	image->high = MAX(image->high, ROUND_UP(end, PAGE_SIZE));
	return 0;
}

static int read_headers(struct exec *e, struct image *image)
{
	u64 bytes;
	int err = read_all(e, image->file, &image->header, sizeof(image->header), 0);

	if (!err)
		err = check_header(&image->header);
	if (err)
		return err;
	bytes = (u64)image->header.phnum * sizeof(struct elf_phdr);
	image->phdrs = malloc(bytes);
	if (!image->phdrs)
		return -ENOMEM;
	err = read_all(e, image->file, image->phdrs, bytes, image->header.phoff);
	image->low = UINT64_MAX;
	for (u32 i = 0; i < image->header.phnum && !err; i++) {
		if (image->phdrs[i].type == ELF_PT_LOAD && image->phdrs[i].memsz)
			err = check_segment(image, &image->phdrs[i]);
	}
	return err ? err : (image->high ? 0 : -ENOEXEC);
}

/* ---- mapping ---- */

static u32 segment_prot(const struct elf_phdr *p)
{
	return (p->flags & ELF_PF_R ? PROT_READ : 0) | (p->flags & ELF_PF_W ? PROT_WRITE : 0) |
	       (p->flags & ELF_PF_X ? PROT_EXEC : 0);
}

static int map_fixed(struct mm *mm, u64 start, u64 end, u32 prot, struct backing *backing,
		     u64 offset)
{
	s64 at;

	if (start >= end)
		return 0;
	at = mm_map(mm, &(struct mm_request){
				.addr = start,
				.bytes = end - start,
				.prot = prot,
				.flags = LMAP_FIXED,
				.backing = backing,
				.offset = offset,
			});
	return at < 0 ? (int)at : 0;
}

/* Memory beyond what is in the file is zero: the rest of the last page, and more pages. */
static int map_segment(struct mm *mm, struct image *image, const struct elf_phdr *p)
{
	static u8 zeros[PAGE_SIZE];
	u64 start = image->bias + p->vaddr, file_end = start + p->filesz, end = start + p->memsz;
	u64 first = ROUND_DOWN(start, PAGE_SIZE);
	u64 mapped_end = p->filesz ? ROUND_UP(file_end, PAGE_SIZE) : first;
	u32 prot = segment_prot(p);
	int err = map_fixed(mm, first, mapped_end, prot, image->backing,
			    ROUND_DOWN(p->offset, PAGE_SIZE));

	if (!err)
		err = map_fixed(mm, mapped_end, ROUND_UP(end, PAGE_SIZE), prot, NULL, 0);
	if (err)
		return err;
	if (end > file_end && mapped_end > file_end && prot & PROT_WRITE &&
	    mm_copy(mm, zeros, file_end, mapped_end - file_end, true) != mapped_end - file_end)
		return -ENOMEM;
	image->end = MAX(image->end, end);
	return 0;
}

static void prefault(struct mm *mm, const struct image *image, const struct elf_phdr *p)
{
	u64 start = ROUND_DOWN(image->bias + p->vaddr, PAGE_SIZE);
	u64 end = ROUND_UP(image->bias + p->vaddr + p->memsz, PAGE_SIZE);
	bool write = p->flags & ELF_PF_W;

	if (end - start <= (write ? PREFAULT_WRITE : PREFAULT_READ))
		mm_prefault(mm, start, end, write ? TOUCH_WRITE : TOUCH_READ);
}

static int map_image(struct mm *mm, struct image *image)
{
	int err = 0;

	for (u32 i = 0; i < image->header.phnum && !err; i++) {
		if (image->phdrs[i].type != ELF_PT_LOAD || !image->phdrs[i].memsz)
			continue;
		err = map_segment(mm, image, &image->phdrs[i]);
		if (!err)
			prefault(mm, image, &image->phdrs[i]);
	}
	return err;
}

/* Where the program headers are in memory. */
static u64 phdr_address(const struct image *image)
{
	const struct elf_header *h = &image->header;

	for (u32 i = 0; i < h->phnum; i++) {
		const struct elf_phdr *p = &image->phdrs[i];

		if (p->type == ELF_PT_LOAD && p->offset <= h->phoff &&
		    h->phoff < p->offset + p->filesz)
			return image->bias + p->vaddr + (h->phoff - p->offset);
	}
	return 0;
}

static void note_ranges(struct mm *mm, const struct image *image)
{
	mm->code_start = UINT64_MAX;
	for (u32 i = 0; i < image->header.phnum; i++) {
		const struct elf_phdr *p = &image->phdrs[i];
		u64 start = image->bias + p->vaddr;

		if (p->type != ELF_PT_LOAD)
			continue;
		if (p->flags & ELF_PF_X) {
			mm->code_start = MIN(mm->code_start, start);
			mm->code_end = MAX(mm->code_end, start + p->filesz);
		}
		if (p->flags & ELF_PF_W) {
			mm->data_start = start;
			mm->data_end = start + p->filesz;
		}
	}
}

/* ---- the interpreter ---- */

/* Its path, to be freed; NULL with *@err 0: there is none. */
static char *interpreter_path(struct exec *e, const struct image *image, int *err)
{
	*err = 0;
	for (u32 i = 0; i < image->header.phnum; i++) {
		const struct elf_phdr *p = &image->phdrs[i];
		char *path;

		if (p->type != ELF_PT_INTERP)
			continue;
		*err = -ENOEXEC;
		if (p->filesz < 2 || p->filesz > VFS_PATH_MAX)
			return NULL;
		path = malloc(p->filesz);
		*err = path ? read_all(e, image->file, path, p->filesz, p->offset) : -ENOMEM;
		if (!*err && path[p->filesz - 1] == 0)
			return path;
		if (!*err)
			*err = -ENOEXEC;
		free(path);
		return NULL;
	}
	return NULL;
}

static int load_interpreter(struct exec *e, const char *path)
{
	struct image image = {0};
	int err = vfs_open_exec(&e->thread->vfs, AT_FDCWD, path, 0, &image.file);

	if (err)
		return err;
	image.backing = backing_new_exec(e->thread->vfs.vfs, image.file);
	if (!image.backing) {
		file_put_exec(image.file);
		return -ENOMEM;
	}
	err = read_headers(e, &image);
	if (err == -ENOEXEC)
		err = -ELIBBAD;
	if (!err && image.header.type == ELF_TYPE_DYN) {
		u64 at = mm_find_gap(e->mm, image.high - image.low, MM_LOWEST);

		image.bias = at - image.low;
		err = at ? 0 : -ENOMEM;
	}
	if (!err)
		err = map_image(e->mm, &image);
	e->base = image.bias;
	e->entry = image.bias + image.header.entry;
	free(image.phdrs);
	backing_put(image.backing);
	return err;
}

/* ---- all of it ---- */

static void lay_out(struct exec *e)
{
	struct mm *mm = e->mm;
	u64 gap =
		MAX(MIN(mm->limit_stack, MM_TOP / 6 * 5), STACK_GAP_MIN) + VMA_GUARD + STACK_RANDOM;

	e->stack_top = MM_TOP - random_below(e, STACK_RANDOM);
	mm->mmap_top =
		ROUND_DOWN(MM_TOP - gap - random_below(e, RANDOM_PAGES * PAGE_SIZE), PAGE_SIZE);
}

static int load_program(struct exec *e, struct image *image)
{
	struct mm *mm = e->mm;
	int err = read_headers(e, image);

	if (err)
		return err;
	for (u32 i = 0; i < image->header.phnum; i++) {
		if (image->phdrs[i].type == ELF_PT_GNU_STACK && image->phdrs[i].flags & ELF_PF_X)
			e->executable_stack = true;
	}
	lay_out(e);
	if (image->header.type == ELF_TYPE_DYN)
		image->bias = PIE_BASE + random_below(e, RANDOM_PAGES * PAGE_SIZE) - image->low;
	err = map_image(mm, image);
	if (err)
		return err;
	note_ranges(mm, image);
	mm->brk_start = mm->brk = ROUND_UP(image->end, PAGE_SIZE) + random_below(e, BRK_RANDOM);
	e->phdr = phdr_address(image);
	e->phnum = image->header.phnum;
	e->program_entry = e->entry = image->bias + image->header.entry;
	return 0;
}

int elf_load(struct exec *e)
{
	struct image image = {.file = e->file};
	char *path;
	int err;

	image.backing = backing_new_exec(e->thread->vfs.vfs, e->file);
	if (!image.backing)
		return -ENOMEM;
	e->file = NULL; /* the backing's now */
	e->mm->exe = image.backing;
	err = load_program(e, &image);
	if (!err) {
		path = interpreter_path(e, &image, &err);
		if (path)
			err = load_interpreter(e, path);
		free(path);
	}
	free(image.phdrs);
	return err;
}
