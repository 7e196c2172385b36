/*
 * Reading a program of the boot image for core_build(). See layout.h.
 *
 * Runs in: the loader, monitors, host tests.
 */
#include "layout.h"

#include <cpio/cpio.h>
#include <errno.h>

static void add_segment(struct program *p, const struct elf *elf, const struct elf_segment *s)
{
	struct segment *to = &p->segment[p->nsegments++];

	to->va = ROUND_DOWN(s->vaddr, PAGE_SIZE);
	to->bytes = ROUND_UP(s->vaddr + s->memsz, PAGE_SIZE) - to->va;
	to->skip = s->vaddr - to->va;
	to->data = elf_segment_data(elf, s);
	to->filesz = s->filesz;
	if (s->flags & ELF_PF_W) {
		to->bits = MAPPED_RW;
		p->private_bytes += to->bytes;
	} else {
		to->bits = s->flags & ELF_PF_X ? MAPPED_RX : MAPPED_R;
		p->shared_bytes += to->bytes;
	}
}

int program_open(const void *image, u64 image_bytes, const char *path, struct elf *elf, u64 *offset)
{
	struct cpio_entry file;
	u64 where;

	if (cpio_find(image, image_bytes, path, &file, &where) != CPIO_OK ||
	    elf_open(elf, file.data, file.size, ELF_NATIVE) != ELF_OK || elf->type != ELF_TYPE_EXEC)
		return -ENOEXEC;
	*offset = file.offset;
	return 0;
}

int program_read(const void *image, u64 image_bytes, const char *path, struct program *p)
{
	struct elf_segment s;
	struct elf elf;
	u32 cursor = 0;

	*p = (struct program){0};
	if (program_open(image, image_bytes, path, &elf, &p->image_offset))
		return -ENOEXEC;
	p->entry = elf.entry;
	while (elf_next_segment(&elf, &cursor, ELF_PT_LOAD, &s)) {
		if (s.memsz == 0)
			continue;
		/* A bound on sizes, far above any program's, so that their sums cannot wrap. */
		if (p->nsegments == PROGRAM_SEGMENTS || s.memsz > GiB)
			return -ENOEXEC;
		add_segment(p, &elf, &s);
	}
	return 0;
}
