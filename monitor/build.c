/*
 * See build.h. A program's block of memory is laid out by the order of RETYPE in make_objects();
 * one frame holds everything that is private and mapped: the shared pages, stack, and data.
 */
#include "build.h"
#include "console.h"
#include "monitor.h"
#include <cpio/cpio.h>
#include <elf/elf.h>
#include <rt/slots.h>
#include <stdio.h>
#include <string.h>

#define TABLE_PAGES  8u
#define SEGMENTS_MAX 8u
#define DATA_MAX     (256 * MiB)
#define STACK_OFFSET (DOMAIN_PAGES * PAGE_SIZE) /* in the private frame */
#define DATA_OFFSET  (STACK_OFFSET + DOMAIN_STACK_BYTES)

/* A program while it is built. */
struct build {
	struct program *p;
	const struct program_plan *plan;
	struct cpio_entry file;
	struct elf elf;
	u64 data_bytes;      /* writable segments, whole pages */
	struct vspace space; /* of the new domain */
	u8 *window;          /* the private frame, mapped here until it is filled */
	u64 frame_bytes;
};

/* ---- the file ---- */

/* "bin/x" or "sbin/x" as it is; a bare "x" is bin/x. */
static int find_file(struct build *b)
{
	const char *path = b->plan->what->path;
	char full[sizeof(b->plan->what->path) + 8];
	u64 where;

	snprintf(full, sizeof(full), "%s%s", strchr(path, '/') ? "" : "bin/", path);
	if (cpio_find(monitor_image(), self.boot->image_bytes, full, &b->file, &where))
		return -ENOENT;
	if ((b->file.mode & CPIO_TYPE_MASK) != CPIO_TYPE_FILE)
		return -ENOENT;
	return 0;
}

static bool segment_fits(const struct build *b, const struct elf_segment *s)
{
	u64 start = ROUND_DOWN(s->vaddr, PAGE_SIZE);

	if (s->vaddr < DOMAIN_PROGRAM_VA || s->vaddr + s->memsz > DOMAIN_HEAP_VA)
		return false;
	if (s->flags & ELF_PF_W)
		return s->memsz <= DATA_MAX;
	/* Mapped from the image: on pages of its own, and nothing to be zeroed behind it. */
	return s->memsz == s->filesz &&
	       (b->file.offset + s->offset - (s->vaddr - start)) % PAGE_SIZE == 0;
}

/* Say on the console why the file cannot be started. */
static int refuse(const struct build *b, const char *why)
{
	console_printf("monitor: %s %s\n", b->file.name, why);
	return -ENOEXEC;
}

static int check_file(struct build *b)
{
	static const char layout[] = "is not laid out as a native program: link it with lib/rt";
	enum elf_error wrong = elf_open(&b->elf, b->file.data, b->file.size, ELF_NATIVE);
	struct elf_segment s;
	u32 cursor = 0, n = 0;

	if (wrong != ELF_OK)
		return refuse(b, elf_strerror(wrong));
	if (b->elf.type != ELF_TYPE_EXEC)
		return refuse(b, layout);
	while (elf_next_segment(&b->elf, &cursor, ELF_PT_LOAD, &s)) {
		if (++n > SEGMENTS_MAX || !segment_fits(b, &s))
			return refuse(b, layout);
		if (s.flags & ELF_PF_W)
			b->data_bytes += ROUND_UP(s.vaddr % PAGE_SIZE + s.memsz, PAGE_SIZE);
	}
	return b->data_bytes > DATA_MAX ? refuse(b, "has too much data") : 0;
}

static int check_args(const struct mon_spawn *what)
{
	u32 strings = 0;

	if (what->args_bytes > DOMAIN_ARGS_MAX || what->argc == 0 || what->priority >= PRIORITIES ||
	    !memchr(what->path, 0, sizeof(what->path)))
		return -EINVAL;
	if (what->slots && (what->slots % DOMAIN_SLOTS || what->slots > CNODE_SLOTS_MAX))
		return -EINVAL;
	for (u32 i = 0; i < what->args_bytes; i++)
		strings += what->args[i] == 0;
	if (strings != what->argc || what->args[what->args_bytes - 1] != 0)
		return -EINVAL;
	return 0;
}

/* ---- objects ---- */

static u32 slots_of(const struct build *b)
{
	return b->plan->what->slots ? b->plan->what->slots : DOMAIN_SLOTS;
}

/* Make an object of the program's block. */
static int make(struct program *p, enum program_cap which, u32 type, u64 bytes)
{
	p->caps[which] = slot_new();
	if (p->caps[which] == CAP_NONE)
		return -ENOMEM;
	return (int)sys_retype(p->block, type, bytes, p->caps[which]);
}

static int make_objects(struct build *b)
{
	struct program *p = b->p;
	u64 cnode_bytes = slots_of(b) * CNODE_SLOT_BYTES;
	u64 total;
	int err;

	b->frame_bytes = DATA_OFFSET + b->data_bytes;
	total = DOMAIN_BYTES + ASPACE_BYTES + cnode_bytes + TABLE_PAGES * PAGE_SIZE +
		b->frame_bytes + PAGE_SIZE; /* the last is for the timer */
	p->block = mem_new(total + DOMAIN_RAM_BYTES, p->number);
	if (p->block == CAP_NONE)
		return -ENOMEM;
	err = make(p, PROGRAM_DOMAIN, CAP_DOMAIN, DOMAIN_BYTES);
	if (!err)
		err = make(p, PROGRAM_ASPACE, CAP_ASPACE, ASPACE_BYTES);
	if (!err)
		err = make(p, PROGRAM_CNODE, CAP_CNODE, cnode_bytes);
	if (!err)
		err = make(p, PROGRAM_TABLE, CAP_TABLE, TABLE_PAGES * PAGE_SIZE);
	if (!err)
		err = make(p, PROGRAM_FRAME, CAP_FRAME, b->frame_bytes);
	if (!err)
		err = make(p, PROGRAM_TIMER, CAP_TIMER, TIMER_BYTES);
	if (!err) /* all the rest of the block; at least DOMAIN_RAM_BYTES */
		err = make(p, PROGRAM_RAM, CAP_RAM,
			   ROUND_DOWN(mem_bytes(p->block) - total, PAGE_SIZE));
	if (!err)
		err = (int)sys_aspace_donate(p->caps[PROGRAM_ASPACE], p->caps[PROGRAM_TABLE]);
	return err;
}

/* ---- memory ---- */

static int no_more_tables(struct vspace *vs)
{
	(void)vs;
	return -ENOMEM;
}

static int map_segment(struct build *b, const struct elf_segment *s, u64 *data_at)
{
	u64 va = ROUND_DOWN(s->vaddr, PAGE_SIZE);
	u64 bytes = ROUND_UP(s->vaddr % PAGE_SIZE + s->memsz, PAGE_SIZE);
	u64 offset = b->file.offset + s->offset - s->vaddr % PAGE_SIZE;

	if (s->flags & ELF_PF_W) {
		u64 at = *data_at;

		memcpy(b->window + at + s->vaddr % PAGE_SIZE, b->file.data + s->offset, s->filesz);
		*data_at += bytes;
		return vspace_map(&b->space, va, b->p->caps[PROGRAM_FRAME], at, bytes,
				  MAP_READ | MAP_WRITE);
	}
	return vspace_map(&b->space, va, SLOT_IMAGE, offset, bytes,
			  MAP_READ | (s->flags & ELF_PF_X ? MAP_EXEC : 0));
}

static int map_memory(struct build *b)
{
	struct elf_segment s;
	u64 data_at = DATA_OFFSET;
	u32 cursor = 0;
	int err;

	b->window = vspace_attach(&mem_space, b->p->caps[PROGRAM_FRAME], 0, b->frame_bytes,
				  MAP_READ | MAP_WRITE);
	if (!b->window)
		return -ENOMEM;
	memset(b->window, 0, b->frame_bytes);
	vspace_init(&b->space, b->p->caps[PROGRAM_ASPACE], 0, 0, no_more_tables, NULL);
	err = vspace_map(&b->space, DOMAIN_START_VA, b->p->caps[PROGRAM_FRAME], 0, PAGE_SIZE,
			 MAP_READ);
	if (!err)
		err = vspace_map(&b->space, DOMAIN_CALL_VA, b->p->caps[PROGRAM_FRAME], PAGE_SIZE,
				 (DOMAIN_PAGES - 1) * PAGE_SIZE, MAP_READ | MAP_WRITE);
	if (!err)
		err = vspace_map(&b->space, DOMAIN_STACK_TOP - DOMAIN_STACK_BYTES,
				 b->p->caps[PROGRAM_FRAME], STACK_OFFSET, DOMAIN_STACK_BYTES,
				 MAP_READ | MAP_WRITE);
	while (!err && elf_next_segment(&b->elf, &cursor, ELF_PT_LOAD, &s))
		err = map_segment(b, &s, &data_at);
	return err;
}

static void fill_start(struct build *b)
{
	const struct mon_spawn *what = b->plan->what;
	struct domain_start *start = (struct domain_start *)b->window;

	start->tsc_hz = self.boot->tsc_hz;
	start->tsc_start = self.boot->tsc_start;
	start->wall_start_ns = self.boot->wall_start_ns;
	start->core = self.core;
	start->ncores = self.ncores;
	start->node = self.boot->node;
	start->gifts = b->plan->ngifts;
	start->slots = slots_of(b);
	start->argc = what->argc;
	start->args_bytes = what->args_bytes;
	memcpy(start->name, b->p->name, sizeof(start->name));
	memcpy(start->args, what->args, what->args_bytes);
}

/* ---- capabilities ---- */

static int give(struct program *p, u32 to, cap_t from, u32 rights)
{
	return (int)sys_cap_put(p->caps[PROGRAM_DOMAIN], to, from, rights);
}

/* The endpoint to the monitor, and the program's doorbell, which the monitor rings, too. */
static int connect(struct program *p)
{
	cap_t endpoint = p->caps[PROGRAM_ENDPOINT] = slot_new();
	cap_t bell = p->caps[PROGRAM_BELL] = slot_new();
	int err;

	if (endpoint == CAP_NONE || bell == CAP_NONE)
		return -ENOMEM;
	err = (int)sys_cap_copy(endpoint, SLOT_DOMAIN, RIGHT_CALL | RIGHT_GRANT, program_badge(p));
	if (!err)
		err = (int)sys_doorbell_bind(SLOT_CORE, p->number, p->caps[PROGRAM_DOMAIN],
					     DOMAIN_BIT_BELL);
	if (!err)
		err = (int)sys_doorbell_mint(SLOT_CORE, self.boot->apic_id, p->number, bell);
	return err;
}

static int give_capabilities(struct program *p, const struct program_plan *plan)
{
	int err = connect(p);

	if (!err)
		err = give(p, DOMAIN_SLOT_SELF, p->caps[PROGRAM_DOMAIN], RIGHTS_ALL);
	if (!err)
		err = give(p, DOMAIN_SLOT_SPACE, p->caps[PROGRAM_ASPACE], RIGHTS_ALL);
	if (!err)
		err = give(p, DOMAIN_SLOT_RAM, p->caps[PROGRAM_RAM], RIGHTS_ALL);
	if (!err)
		err = give(p, DOMAIN_SLOT_MONITOR, p->caps[PROGRAM_ENDPOINT],
			   RIGHT_CALL | RIGHT_GRANT);
	if (!err)
		err = give(p, DOMAIN_SLOT_TIMER, p->caps[PROGRAM_TIMER], RIGHTS_ALL);
	for (u32 i = 0; !err && i < plan->ngifts; i++) {
		struct cap_info info;

		err = (int)sys_cap_info(plan->gifts[i], &info);
		if (!err)
			err = give(p, DOMAIN_SLOT_GIFTS + i, plan->gifts[i], info.rights);
	}
	return err;
}

static int setup_domain(struct build *b)
{
	const struct mon_spawn *what = b->plan->what;
	struct domain_setup setup = {
		.aspace = b->p->caps[PROGRAM_ASPACE],
		.cnode = b->p->caps[PROGRAM_CNODE],
		.entry = b->elf.entry,
		.stack = DOMAIN_STACK_TOP,
		.arg = DOMAIN_START_VA,
		.priority = what->priority ? what->priority : PRIORITY_DEFAULT,
		.death_bit = EVENT_DEATH,
		.image_offset = b->file.offset,
	};

	memcpy(setup.name, b->p->name, sizeof(setup.name));
	return (int)sys_domain_setup(b->p->caps[PROGRAM_DOMAIN], &setup);
}

/* ---- all of it ---- */

static int build(struct build *b)
{
	int err = make_objects(b);

	if (!err)
		err = map_memory(b);
	if (!err) {
		fill_start(b);
		err = setup_domain(b);
	}
	if (!err)
		err = give_capabilities(b->p, b->plan);
	if (b->window)
		vspace_detach(&mem_space, b->window, b->frame_bytes);
	if (err)
		return err;
	/* The shared pages stay mapped as long as the program lives. */
	b->p->start = vspace_attach(&mem_space, b->p->caps[PROGRAM_FRAME], 0, PROGRAM_WINDOW,
				    MAP_READ | MAP_WRITE);
	return b->p->start ? 0 : -ENOMEM;
}

int build_program(struct program *p, const struct program_plan *plan)
{
	struct build b = {.p = p, .plan = plan};
	const char *slash;
	int err = check_args(plan->what);

	if (!err)
		err = find_file(&b);
	if (!err)
		err = check_file(&b);
	if (err)
		return err;
	slash = strrchr(plan->what->path, '/');
	snprintf(p->name, sizeof(p->name), "%.23s", slash ? slash + 1 : plan->what->path);
	return build(&b);
}

void unbuild_program(struct program *p)
{
	if (p->start)
		vspace_detach(&mem_space, p->start, PROGRAM_WINDOW);
	slot_drop(p->caps[PROGRAM_BELL]);
	slot_drop(p->caps[PROGRAM_ENDPOINT]);
	mem_put(p->block); /* revokes all the others */
	for (u32 i = 0; i < PROGRAM_ENDPOINT; i++)
		slot_put(p->caps[i]);
	memset(p->caps, 0, sizeof(p->caps));
	p->start = NULL;
	p->block = CAP_NONE;
}
