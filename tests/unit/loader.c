/*
 * The loader's parts that read what others wrote: boot loaders' information, the command line, the
 * memory map; and the sharing of memory that comes of it.
 *
 * Physical memory is a buffer here, at its own address; fail() ends the call, with its text kept.
 */
#include <boot/memmap.c> /* whole, so that each test can begin with an empty map */

#include <boot/entry.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unit.h>

static u8 *memory; /* what phys_map() allows */
static u64 memory_bytes;
static jmp_buf failed;
static char failure[512];

void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(failure, sizeof(failure), format, args);
	va_end(args);
	longjmp(failed, 1);
}

void say(const char *format, ...)
{
	(void)format;
}

void console_exit_on_failure(void)
{
}

void *phys_map(u64 phys, u64 bytes)
{
	u64 start = (u64)memory;

	if (phys < start || phys - start > memory_bytes || bytes > memory_bytes - (phys - start))
		return NULL;
	return (void *)phys;
}

/* After it, failure is the text with which @call failed, or empty. */
#define RUN(call)                                                                                  \
	do {                                                                                       \
		failure[0] = 0;                                                                    \
		if (!setjmp(failed))                                                               \
			call;                                                                      \
	} while (0)

#define CHECK_FAILS(call, text)                                                                    \
	do {                                                                                       \
		RUN(call);                                                                         \
		CHECK(strncmp(failure, text, strlen(text)) == 0);                                  \
	} while (0)

#define CHECK_WORKS(call)                                                                          \
	do {                                                                                       \
		RUN(call);                                                                         \
		CHECK_STRING(failure, "");                                                         \
	} while (0)

static void new_memory(u64 bytes)
{
	free(memory);
	memory = calloc(1, bytes);
	memory_bytes = bytes;
	memset(&map, 0, sizeof(map));
}

/* Memory with the same beginning, but nothing behind it: so reading on would be caught. */
static void cut_memory(u64 bytes)
{
	u8 *less = malloc(bytes);

	memcpy(less, memory, bytes);
	free(memory);
	memory = less;
	memory_bytes = bytes;
}

/* ---- memory map ---- */

static struct machine_mem mem[MEMMAP_MAX];

static void check_mem(u32 i, u64 base, u64 bytes, u32 type, u32 node)
{
	CHECK_EQUAL(mem[i].base, base);
	CHECK_EQUAL(mem[i].bytes, bytes);
	CHECK_EQUAL(mem[i].type, type);
	CHECK_EQUAL(mem[i].node, node);
}

TEST(of_overlapping_ranges_the_more_special_use_counts)
{
	new_memory(1);
	memmap_add(0x10000, 0x10000, MACHINE_MEM_RAM);
	memmap_add(0x14000, 0x2000, MACHINE_MEM_ACPI);
	memmap_add(0x13000, 0x2000, MACHINE_MEM_RESERVED);
	CHECK_EQUAL(memmap_resolve(mem), 4);
	check_mem(0, 0x10000, 0x3000, MACHINE_MEM_RAM, 0);
	check_mem(1, 0x13000, 0x1000, MACHINE_MEM_RESERVED, 0);
	check_mem(2, 0x14000, 0x2000, MACHINE_MEM_ACPI, 0);
	check_mem(3, 0x16000, 0xa000, MACHINE_MEM_RAM, 0);
}

TEST(ram_shrinks_to_whole_pages_and_all_else_grows)
{
	new_memory(1);
	memmap_add(0x10001, 0x3000, MACHINE_MEM_RAM);
	memmap_add(0x20fff, 2, MACHINE_MEM_RESERVED);
	memmap_add(0x30001, 0xffe, MACHINE_MEM_RAM);
	CHECK_EQUAL(memmap_resolve(mem), 2);
	check_mem(0, 0x11000, 0x2000, MACHINE_MEM_RAM, 0);
	check_mem(1, 0x20000, 0x2000, MACHINE_MEM_RESERVED, 0);
}

TEST(ranges_that_wrap_are_left_out)
{
	new_memory(1);
	memmap_add(~0ul - 10, 20, MACHINE_MEM_RAM);
	memmap_add(~0ul - 10, 10, MACHINE_MEM_RESERVED);
	memmap_add_node(~0ul - 10, 20, 3);
	memmap_add(0x1000, 0, MACHINE_MEM_RESERVED);
	CHECK_EQUAL(memmap_resolve(mem), 0);
}

TEST(memory_is_divided_where_the_node_changes)
{
	new_memory(1);
	memmap_add(0, 4 * MiB, MACHINE_MEM_RAM);
	memmap_add_node(0, 2 * MiB, 1);
	memmap_add_node(2 * MiB, MiB, 5);
	CHECK_EQUAL(memmap_resolve(mem), 3);
	check_mem(0, 0, 2 * MiB, MACHINE_MEM_RAM, 1);
	check_mem(1, 2 * MiB, MiB, MACHINE_MEM_RAM, 5);
	check_mem(2, 3 * MiB, MiB, MACHINE_MEM_RAM, 0);
}

TEST(range_added_many_times_takes_one_entry)
{
	new_memory(1);
	for (u32 i = 0; i < 3 * MEMMAP_MAX; i++)
		CHECK_WORKS(memmap_add(0x1000, 0x2000 + i % 7, MACHINE_MEM_ACPI));
	CHECK_EQUAL(memmap_resolve(mem), 1);
	check_mem(0, 0x1000, 0x3000, MACHINE_MEM_ACPI, 0);
}

TEST(too_many_ranges_fail)
{
	new_memory(1);
	for (u64 i = 0; i < MEMMAP_MAX; i++)
		memmap_add(i * 0x2000, 0x1000, MACHINE_MEM_RAM);
	CHECK_FAILS(memmap_add(0x10000000, 0x1000, MACHINE_MEM_RAM), "the memory map has more");
	CHECK_EQUAL(memmap_resolve(mem), MEMMAP_MAX);
}

/* ---- shares of memory ---- */

/* A machine with @cores cores, the first half on node 0, and the memory added before. */
static struct machine *machine_with(u32 cores)
{
	struct machine_counts counts = {.cores = cores, .nodes = 3, .mem = memmap_resolve(mem)};
	struct machine *m =
		machine_init(malloc(machine_size(&counts)), machine_size(&counts), &counts);

	REQUIRE(m != NULL);
	m->flags = MACHINE_DISCOVERED;
	memcpy(machine_mem(m), mem, counts.mem * sizeof(mem[0]));
	for (u32 i = 0; i < cores; i++) {
		machine_cores(m)[i].apic_id = i;
		machine_cores(m)[i].node = machine_cores(m)[i].socket = i >= (cores + 1) / 2;
	}
	machine_build_tree(m, MACHINE_FANOUT);
	return m;
}

static void add_ram(u64 base, u64 bytes, u32 node)
{
	memmap_add(base, bytes, MACHINE_MEM_RAM);
	memmap_add_node(base, bytes, node);
}

/* Every share is sound (machine_check()) and lies in RAM above CORES_MEMORY_START. */
static void check_shares(const struct machine *m)
{
	CHECK_EQUAL(machine_check(m, m->size_bytes), 0);
	for (u32 i = 0; i < m->ncores; i++) {
		const struct machine_core *c = &machine_cores(m)[i];
		bool inside = false;

		for (u32 j = 0; j < m->nmem; j++)
			inside |= machine_mem(m)[j].type == MACHINE_MEM_RAM &&
				  c->mem_base >= machine_mem(m)[j].base &&
				  c->mem_base + c->mem_bytes <=
					  machine_mem(m)[j].base + machine_mem(m)[j].bytes;
		CHECK(inside && c->mem_base >= CORES_MEMORY_START && c->mem_bytes >= 4 * MiB);
	}
}

TEST(cores_share_their_nodes_memory_equally)
{
	struct machine *m;

	new_memory(1);
	add_ram(0, 96 * MiB, 0);
	add_ram(GiB, 100 * MiB, 1);
	m = machine_with(8);
	CHECK_WORKS(memory_share(m, 0));
	check_shares(m);
	for (u32 i = 0; i < 4; i++) {
		CHECK_EQUAL(machine_cores(m)[i].mem_base, (16 + 20 * i) * MiB);
		CHECK_EQUAL(machine_cores(m)[i].mem_bytes, 20 * MiB);
		CHECK_EQUAL(machine_cores(m)[i + 4].mem_base, GiB + 24 * i * MiB);
		CHECK_EQUAL(machine_cores(m)[i + 4].mem_bytes, 24 * MiB);
	}
	free(m);
}

TEST(first_core_may_have_most_of_its_nodes_memory)
{
	struct machine *m;

	new_memory(1);
	add_ram(16 * MiB, 240 * MiB, 0);
	add_ram(GiB, 100 * MiB, 1);
	m = machine_with(8);
	CHECK_WORKS(memory_share(m, 75));
	check_shares(m);
	CHECK_EQUAL(machine_cores(m)[0].mem_bytes, 180 * MiB);
	CHECK_EQUAL(machine_cores(m)[3].mem_bytes, 20 * MiB);
	CHECK_EQUAL(machine_cores(m)[4].mem_bytes, 24 * MiB);
	free(m);
	new_memory(1);
	add_ram(16 * MiB, 40 * MiB, 0);
	m = machine_with(4); /* too little for that: all have the same */
	CHECK_WORKS(memory_share(m, 75));
	CHECK_EQUAL(machine_cores(m)[0].mem_bytes, 10 * MiB);
	free(m);
}

TEST(share_is_never_across_a_hole)
{
	struct machine *m;

	new_memory(1);
	add_ram(16 * MiB, 50 * MiB, 0);
	add_ram(4 * GiB, 100 * MiB, 0);
	m = machine_with(6); /* three on node 0, three that borrow from it */
	CHECK_WORKS(memory_share(m, 0));
	check_shares(m);
	CHECK_EQUAL(machine_cores(m)[1].mem_base, (16 + 24) * MiB);
	CHECK_EQUAL(machine_cores(m)[2].mem_base, 4 * GiB);
	free(m);
}

TEST(cores_without_memory_borrow_from_the_nearest_node)
{
	struct machine *m;

	new_memory(1);
	add_ram(16 * MiB, 64 * MiB, 0);
	add_ram(GiB, 64 * MiB, 2);
	m = machine_with(4);
	((u8 *)m + m->distance_off)[1 * 3 + 0] = 30;
	((u8 *)m + m->distance_off)[1 * 3 + 2] = 20;
	CHECK_WORKS(memory_share(m, 0));
	check_shares(m);
	CHECK_EQUAL(machine_cores(m)[2].mem_base, GiB);
	CHECK_EQUAL(machine_cores(m)[3].mem_base, GiB + 32 * MiB);
	free(m);
}

TEST(too_little_memory_for_a_nodes_cores_fails)
{
	struct machine *m;

	new_memory(1);
	add_ram(16 * MiB, 64 * MiB, 0);
	add_ram(GiB, 6 * MiB, 1);
	m = machine_with(4);
	CHECK_FAILS(memory_share(m, 0), "node 1: 6 MiB of memory");
	free(m);
}

/* A function of its own, so that nothing lives across setjmp(). */
static bool can_share(struct machine *m, u32 first_percent)
{
	RUN(memory_share(m, first_percent));
	return failure[0] == 0;
}

TEST(shares_of_random_memory_are_sound)
{
	u64 seed = 11;

	for (u32 round = 0; round < 300; round++) {
		u64 at = 0;
		struct machine *m;

		new_memory(1);
		for (u32 i = 0; i < 12; i++) {
			at += unit_random(&seed) % (8 * MiB);
			add_ram(at, unit_random(&seed) % (128 * MiB), i % 2);
			at = map.node[map.nnodes - 1].end;
		}
		m = machine_with((u32)(unit_random(&seed) % 40 + 1));
		if (can_share(m, (u32)(unit_random(&seed) % 91)))
			check_shares(m);
		free(m);
	}
}

/* ---- command line ---- */

TEST(options_are_whole_words)
{
	struct bootinfo b = {.cmdline = "xcores=9 cores=3 panic=exit"};

	CHECK_EQUAL(bootinfo_cores(&b, 8), 3);
	CHECK_EQUAL(bootinfo_cores(&b, 2), 2);
	CHECK(bootinfo_option(&b, "core") == NULL);
	CHECK(bootinfo_option(&b, "ores") == NULL);
	CHECK(strncmp(bootinfo_option(&b, "panic"), "exit", 4) == 0);
	strcpy(b.cmdline, "nothing");
	CHECK_EQUAL(bootinfo_cores(&b, 8), 8);
}

TEST(cores_that_are_no_number_fail)
{
	static const char *const bad[] = {"cores=",   "cores=0",  "cores=x",
					  "cores=3x", "cores=-1", "cores=99999999999"};
	struct bootinfo b = {0};

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		strcpy(b.cmdline, bad[i]);
		CHECK_FAILS(bootinfo_cores(&b, 8), "\"cores=");
	}
}

/* ---- multiboot2 ---- */

/* Appends a tag (specification 3.6) with @bytes of contents to the information in memory. */
static void add_tag(u32 type, const void *data, u32 bytes)
{
	u32 *total = (u32 *)memory;
	u32 head[2] = {type, bytes + 8};

	if (*total == 0)
		*total = 8;
	memcpy(memory + *total, head, sizeof(head));
	if (bytes)
		memcpy(memory + *total + sizeof(head), data, bytes);
	*total = ROUND_UP(*total + (u32)sizeof(head) + bytes, 8u);
}

static void add_usual_tags(void)
{
	struct {
		u32 entry_bytes, version;
		struct {
			u64 base, bytes;
			u32 type, reserved;
		} entry[3];
	} mmap = {24, 0, {{0, 0x9f000, 1, 0}, {0xf0000, 0x10000, 2, 0}, {MiB, GiB, 1, 0}}};
	u32 module[3] = {0x100000, 0x123456, 0};
	static const char rsdp[36] = "RSD PTR ";

	add_tag(1, "cores=2", 8);
	add_tag(3, module, sizeof(module));
	add_tag(6, &mmap, sizeof(mmap));
	add_tag(14, rsdp, 20);
	add_tag(15, rsdp, 36);
}

TEST(multiboot2_information_is_read)
{
	struct bootinfo b = {0};

	new_memory(512);
	add_usual_tags();
	add_tag(0, NULL, 0);
	CHECK_WORKS(bootinfo_read(BOOT_MULTIBOOT2, (u64)memory, &b));
	CHECK_STRING(b.cmdline, "cores=2");
	CHECK_EQUAL(b.image_phys, 0x100000);
	CHECK_EQUAL(b.image_bytes, 0x23456);
	CHECK(memcmp((const void *)b.rsdp, "RSD PTR ", 8) == 0);
	CHECK_EQUAL(use_at(0x9e000), MACHINE_MEM_RAM);
	CHECK_EQUAL(use_at(0xf0000), MACHINE_MEM_RESERVED);
	CHECK_EQUAL(use_at(b.rsdp & ~0xffful), MACHINE_MEM_ACPI);
}

TEST(map_of_uefi_serves_when_there_is_no_other)
{
	struct {
		u32 entry_bytes, version;
		struct {
			u32 type, pad;
			u64 base, virtual, pages, attribute, more;
		} entry[3];
	} efi = {48,
		 1,
		 {{7, 0, 0x100000, 0, 256, 0, 0},
		  {9, 0, 0x200000, 0, 1, 0, 0},
		  {7, 0, 0x300000, 0, 1ul << 60, 0, 0}}};
	struct bootinfo b = {0};

	new_memory(512);
	add_tag(17, &efi, sizeof(efi));
	CHECK_WORKS(bootinfo_read(BOOT_MULTIBOOT2, (u64)memory, &b));
	CHECK_EQUAL(memmap_resolve(mem), 2);
	check_mem(0, 0x100000, MiB, MACHINE_MEM_RAM, 0);
	check_mem(1, 0x200000, 0x1000, MACHINE_MEM_ACPI, 0);
}

TEST(multiboot2_information_that_makes_no_sense_fails)
{
	struct bootinfo b = {0};
	u32 module[2] = {0x2000, 0x1000};

	new_memory(512);
	CHECK_FAILS(bootinfo_read(BOOT_MULTIBOOT2, (u64)memory, &b),
		    "multiboot2's information has");
	add_tag(1, "text", 5);
	CHECK_FAILS(bootinfo_read(BOOT_MULTIBOOT2, (u64)memory, &b),
		    "multiboot2's information has no memory map");
	((u32 *)memory)[3] = 400;
	CHECK_FAILS(bootinfo_read(BOOT_MULTIBOOT2, (u64)memory, &b),
		    "multiboot2's information has a tag");
	((u32 *)memory)[0] = 600;
	CHECK_FAILS(bootinfo_read(BOOT_MULTIBOOT2, (u64)memory, &b),
		    "the boot loader's multiboot2 information, 600 bytes");
	new_memory(512);
	add_tag(3, module, sizeof(module));
	CHECK_FAILS(bootinfo_read(BOOT_MULTIBOOT2, (u64)memory, &b), "multiboot2's module");
	CHECK_FAILS(bootinfo_read(1, (u64)memory, &b), "started by something");
}

TEST(random_damage_of_multiboot2_information_never_reads_outside)
{
	u64 seed = 5;

	for (u32 round = 0; round < 20000; round++) {
		struct bootinfo b = {0};
		u32 total;

		new_memory(512);
		add_usual_tags();
		total = *(u32 *)memory;
		for (u64 n = unit_random(&seed) % 4 + 1; n; n--)
			memory[unit_random(&seed) % total] = (u8)unit_random(&seed);
		cut_memory(total);
		RUN(bootinfo_read(BOOT_MULTIBOOT2, (u64)memory, &b));
		CHECK(strnlen(b.cmdline, CMDLINE_MAX) < CMDLINE_MAX);
	}
}

/* ---- PVH ---- */

/* As in xen/include/public/arch-x86/hvm/start_info.h. */
struct pvh {
	u32 magic, version, flags, nmodules;
	u64 modules, cmdline, rsdp, memmap;
	u32 nmemmap, reserved;
	u64 module[4];
	struct {
		u64 base, bytes;
		u32 type, reserved;
	} entry[2];
	char text[CMDLINE_MAX];
};

static struct pvh *new_pvh(void)
{
	struct pvh *p;

	new_memory(sizeof(*p));
	p = (struct pvh *)memory;
	*p = (struct pvh){
		.magic = BOOT_PVH,
		.version = 1,
		.nmodules = 1,
		.modules = (u64)p->module,
		.cmdline = (u64)p->text,
		.rsdp = 0xf1230,
		.memmap = (u64)p->entry,
		.nmemmap = 2,
		.module = {0x400000, 0x5000},
		.entry = {{0, 0x9f000, 1, 0}, {MiB, GiB, 1, 0}},
		.text = "panic=exit",
	};
	return p;
}

TEST(pvh_information_is_read)
{
	struct bootinfo b = {0};
	struct pvh *p = new_pvh();

	CHECK_WORKS(bootinfo_read(BOOT_PVH, (u64)p, &b));
	CHECK_STRING(b.cmdline, "panic=exit");
	CHECK_EQUAL(b.image_phys, 0x400000);
	CHECK_EQUAL(b.image_bytes, 0x5000);
	CHECK_EQUAL(b.rsdp, 0xf1230);
	CHECK_EQUAL(use_at(MiB), MACHINE_MEM_RAM);
	CHECK_EQUAL(use_at(0xa0000), 0);
}

TEST(pvh_information_that_makes_no_sense_fails)
{
	struct bootinfo b = {0};
	struct pvh *p = new_pvh();

	p->version = 0;
	CHECK_FAILS(bootinfo_read(BOOT_PVH, (u64)p, &b), "PVH start information has no memory map");
	p->version = 1;
	p->nmemmap = 200;
	CHECK_FAILS(bootinfo_read(BOOT_PVH, (u64)p, &b), "the boot loader's memory map");
	p->magic = 1;
	CHECK_FAILS(bootinfo_read(BOOT_PVH, (u64)p, &b), "PVH start information has the wrong");
}

TEST(command_line_is_cut_to_its_room)
{
	struct bootinfo b = {0};
	struct pvh *p = new_pvh();

	memset(p->text, 'a', sizeof(p->text));
	CHECK_WORKS(bootinfo_read(BOOT_PVH, (u64)p, &b));
	CHECK_EQUAL(strlen(b.cmdline), CMDLINE_MAX - 1);
}

TEST(random_damage_of_pvh_information_never_reads_outside)
{
	u64 seed = 9;

	for (u32 round = 0; round < 20000; round++) {
		struct bootinfo b = {0};
		struct pvh *p = new_pvh();

		for (u64 n = unit_random(&seed) % 4 + 1; n; n--)
			memory[unit_random(&seed) % offsetof(struct pvh, text)] =
				(u8)unit_random(&seed);
		RUN(bootinfo_read(BOOT_PVH, (u64)p, &b));
		CHECK(strnlen(b.cmdline, CMDLINE_MAX) < CMDLINE_MAX);
	}
}
