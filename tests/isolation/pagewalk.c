/*
 * Walks the page tables of every core in a dump of the machine and checks rule 1 of the design:
 *
 *   - no frame of memory can be written by two CPU drivers;
 *   - no frame that a CPU driver can execute can be written by any of them, and no entry at all,
 *     of ring 0 or 3, is writable and executable;
 *   - the CPU driver's code exists once a node.
 *
 * The dump is what QEMU's dump-guest-memory writes without paging: an ELF core file in which
 * PT_LOAD segments are physical memory and a note named "QEMU" holds each processor's registers.
 * It knows nothing of Skerry's data structures: only CR3 and the architecture (SDM vol. 3A, 4.5).
 *
 * Usage: pagewalk DUMP CORES NODES. Prints what it found; exit status 0 if all rules hold.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skerry/types.h>

#define PTE_PRESENT 0x1ul
#define PTE_WRITE   0x2ul
#define PTE_USER    0x4ul
#define PTE_LARGE   0x80ul
#define PTE_NX      (1ul << 63)
#define PTE_PHYS    0x000ffffffffff000ul

#define CORES_MAX   4096
#define NOBODY      0
#define FRAME_EXEC  1u

/* QEMU's note (target/i386/arch_dump.c): version, size, 18 registers, 10 segments, CR0 to CR4. */
#define NOTE_CR3 (8 + 18 * 8 + 10 * 24 + 3 * 8)

struct dump {
	const u8 *bytes;
	u64 len;
	const Elf64_Phdr *segments;
	u32 nsegments;
	u64 cr3[CORES_MAX];
	u32 cores;
	u64 frames;  /* physical address space covered, in frames */
	u16 *writer; /* a frame: core + 1 whose CPU driver can write it */
	u16 *runner; /* a frame: core + 1 whose CPU driver can execute it, the first one found */
	u64 faults;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "pagewalk: %s\n", what);
	exit(2);
}

static void fault(struct dump *d, u32 core, u64 va, u64 phys, const char *what)
{
	if (d->faults++ < 20)
		printf("core %u: address 0x%lx, frame 0x%lx: %s\n", core, va, phys, what);
}

/* Memory of the machine at @phys, or NULL where the dump has none (a device). */
static const u64 *memory(const struct dump *d, u64 phys)
{
	for (u32 i = 0; i < d->nsegments; i++) {
		const Elf64_Phdr *s = &d->segments[i];

		if (s->p_type == PT_LOAD && phys >= s->p_paddr &&
		    phys + PAGE_SIZE <= s->p_paddr + s->p_filesz)
			return (const u64 *)(d->bytes + s->p_offset + (phys - s->p_paddr));
	}
	return NULL;
}

/* One mapped range of ring 0: who writes and who runs each of its frames. */
static void note_supervisor(struct dump *d, u32 core, u64 va, u64 phys, u64 bytes, u64 rights)
{
	for (u64 f = phys / PAGE_SIZE; f < (phys + bytes) / PAGE_SIZE && f < d->frames; f++) {
		if (rights & PTE_WRITE) {
			if (d->writer[f] != NOBODY && d->writer[f] != core + 1)
				fault(d, core, va, f * PAGE_SIZE, "another core writes it too");
			d->writer[f] = (u16)(core + 1);
		}
		if (!(rights & PTE_NX) && d->runner[f] == NOBODY)
			d->runner[f] = (u16)(core + 1);
	}
}

/* @rights: what the levels above allow, PTE_WRITE, PTE_USER and PTE_NX as in an entry. */
static void walk(struct dump *d, u32 core, u64 table, int level, u64 va, u64 rights)
{
	const u64 *entries = memory(d, table);
	u64 span = 1ul << (12 + 9 * level);

	if (!entries) {
		fault(d, core, va, table, "page table outside memory");
		return;
	}
	for (u32 i = 0; i < 512; i++) {
		u64 e = entries[i], at = va + i * span;
		u64 sum = (rights & e & (PTE_WRITE | PTE_USER)) | ((rights | e) & PTE_NX);

		if (level == 3 && i >= 256)
			at |= 0xfffful << 48;
		if (!(e & PTE_PRESENT))
			continue;
		if (level > 0 && !(e & PTE_LARGE)) {
			walk(d, core, e & PTE_PHYS, level - 1, at, sum);
			continue;
		}
		if (sum & PTE_WRITE && !(sum & PTE_NX))
			fault(d, core, at, e & PTE_PHYS, "writable and executable");
		if (!(sum & PTE_USER))
			note_supervisor(d, core, at, e & PTE_PHYS & ~(span - 1), span, sum);
	}
}

static void read_notes(struct dump *d, const Elf64_Phdr *segment)
{
	const u8 *p = d->bytes + segment->p_offset, *end = p + segment->p_filesz;

	while (p + sizeof(Elf64_Nhdr) <= end) {
		const Elf64_Nhdr *note = (const Elf64_Nhdr *)p;
		const char *name = (const char *)(note + 1);
		const u8 *desc = (const u8 *)name + ROUND_UP(note->n_namesz, 4u);

		if (strcmp(name, "QEMU") == 0 && note->n_descsz >= NOTE_CR3 + 8) {
			if (d->cores == CORES_MAX)
				die("more processors than this program knows");
			memcpy(&d->cr3[d->cores++], desc + NOTE_CR3, 8);
		}
		p = desc + ROUND_UP(note->n_descsz, 4u);
	}
}

static void open_dump(struct dump *d, const char *path)
{
	int fd = open(path, O_RDONLY);
	const Elf64_Ehdr *header;
	struct stat st;
	u64 top = 0;

	if (fd < 0 || fstat(fd, &st) != 0)
		die("cannot read the dump");
	d->len = (u64)st.st_size;
	d->bytes = mmap(NULL, d->len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (d->bytes == MAP_FAILED || d->len < sizeof(*header) ||
	    memcmp(d->bytes, ELFMAG, SELFMAG) != 0)
		die("the dump is no ELF file");
	header = (const Elf64_Ehdr *)d->bytes;
	d->segments = (const Elf64_Phdr *)(d->bytes + header->e_phoff);
	d->nsegments = header->e_phnum;
	for (u32 i = 0; i < d->nsegments; i++) {
		if (d->segments[i].p_type == PT_NOTE)
			read_notes(d, &d->segments[i]);
		else if (d->segments[i].p_type == PT_LOAD)
			top = MAX(top, d->segments[i].p_paddr + d->segments[i].p_filesz);
	}
	d->frames = top / PAGE_SIZE;
	d->writer = calloc(d->frames, sizeof(u16));
	d->runner = calloc(d->frames, sizeof(u16));
	if (!d->writer || !d->runner)
		die("out of memory");
	close(fd);
}

/* Copies of the code: runs of executable frames that begin with the same page, compared. */
static u32 count_copies(struct dump *d)
{
	const u64 *first = NULL;
	u32 copies = 0;

	for (u64 f = 0; f < d->frames; f++) {
		const u64 *page;

		if (d->runner[f] == NOBODY)
			continue;
		page = memory(d, f * PAGE_SIZE);
		if (d->writer[f] != NOBODY)
			fault(d, d->writer[f] - 1u, 0, f * PAGE_SIZE, "code that can be written");
		if (!first)
			first = page;
		if (page && memcmp(page, first, PAGE_SIZE) == 0)
			copies++;
	}
	return copies;
}

int main(int argc, char **argv)
{
	static struct dump d;
	u64 written = 0;
	u32 cores, nodes, copies;

	if (argc != 4)
		die("usage: pagewalk DUMP CORES NODES");
	cores = (u32)atoi(argv[2]);
	nodes = (u32)atoi(argv[3]);
	open_dump(&d, argv[1]);
	for (u32 c = 0; c < d.cores; c++) {
		for (u32 o = 0; o < c; o++)
			if (d.cr3[o] == d.cr3[c])
				fault(&d, c, 0, d.cr3[c], "the same root table as another core");
		walk(&d, c, d.cr3[c] & PTE_PHYS, 3, 0, PTE_WRITE | PTE_USER);
	}
	for (u64 f = 0; f < d.frames; f++)
		written += d.writer[f] != NOBODY;
	copies = count_copies(&d);
	printf("%u cores, %lu frames that a CPU driver can write, %u copies of its code, %lu "
	       "faults\n",
	       d.cores, written, copies, d.faults);
	if (d.cores != cores || copies != nodes || written < cores) {
		printf("expected %u cores and %u copies\n", cores, nodes);
		return 1;
	}
	return d.faults ? 1 : 0;
}
