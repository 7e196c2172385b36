/*
 * What a native domain finds when it starts, and the pages it shares with its monitor.
 *
 * Below its program, in the two MiB at DOMAIN_FIXED_VA:
 *
 *   start page    struct domain_start: written by the monitor, read-only to the domain
 *   call page     the domain's to write: what does not fit in the words of a call to its monitor
 *   count page    struct domain_counts: the domain's to write, read by its monitor
 *   guard, stack  DOMAIN_STACK_BYTES
 *
 * Nobody but the domain and the monitor of its core sees them. What the monitor reads from them is
 * untrusted to it, and it looks only while the domain waits for an answer, or at the counts.
 */
#ifndef SKERRY_DOMAIN_H
#define SKERRY_DOMAIN_H

#include <skerry/calls.h>

#define DOMAIN_FIXED_VA    0x200000ul
#define DOMAIN_START_VA    DOMAIN_FIXED_VA
#define DOMAIN_CALL_VA     (DOMAIN_FIXED_VA + PAGE_SIZE)
#define DOMAIN_COUNT_VA    (DOMAIN_FIXED_VA + 2 * PAGE_SIZE)
#define DOMAIN_PAGES       3u
#define DOMAIN_STACK_BYTES (64 * KiB)
#define DOMAIN_STACK_TOP   (DOMAIN_FIXED_VA + 128 * KiB)
#define DOMAIN_PROGRAM_VA  0x400000ul   /* programs are linked from here on */
#define DOMAIN_HEAP_VA     (4ul * GiB)  /* the heap grows from here */
#define DOMAIN_MAP_VA      (64ul * GiB) /* everything else is mapped from here on */
#define DOMAIN_MAP_END     (64ul * 1024 * GiB)

/* The table of capabilities of a new domain: this large unless it was started with another size. */
#define DOMAIN_SLOTS        1024u
#define DOMAIN_SLOTS_LINUX  (16 * DOMAIN_SLOTS) /* of a personality: four a process */
#define DOMAIN_SLOT_SELF    1u                  /* itself: RIGHT_CALL, to derive endpoints from */
#define DOMAIN_SLOT_SPACE   2u                  /* its address space */
#define DOMAIN_SLOT_RAM     3u                  /* some memory for page tables and small objects */
#define DOMAIN_SLOT_MONITOR 4u                  /* endpoint to its monitor (skerry/monitor.h) */
#define DOMAIN_SLOT_TIMER   5u
#define DOMAIN_SLOT_GIFTS   6u /* what it was given beyond that: drivers, tests */
#define DOMAIN_GIFTS        10u
#define DOMAIN_SLOT_FREE    (DOMAIN_SLOT_GIFTS + DOMAIN_GIFTS)
#define DOMAIN_RAM_BYTES    (32 * KiB) /* at least */

/* Bits of events that the runtime takes; the others are the program's. */
#define DOMAIN_BIT_BELL  0u /* its doorbell: look at the channels and at domain_start.notices */
#define DOMAIN_BIT_TIMER 1u
#define DOMAIN_BIT_USER  2u /* the first that is free */

#define DOMAIN_ARGS_MAX  2560u
#define DOMAIN_NAME_MAX  24u

struct domain_start {
	u64 tsc_hz;
	u64 tsc_start;     /* time zero of the machine */
	u64 wall_start_ns; /* what time it was then, since 1970 UTC; 0: not known */
	u32 core;
	u32 ncores;
	u32 node;
	u32 gifts;   /* how many slots from DOMAIN_SLOT_GIFTS on are filled */
	u64 notices; /* how often the monitor has had something to tell (MON_NOTICE) */
	u32 argc;
	u32 args_bytes;
	u32 slots; /* of its table of capabilities */
	char name[DOMAIN_NAME_MAX];
	char args[DOMAIN_ARGS_MAX]; /* argc strings, each with its NUL */
};

static_assert(sizeof(struct domain_start) <= PAGE_SIZE, "one page");

/*
 * Messages by peer and class (MSG_CLASS), true whenever the domain sleeps. The last line counts
 * what found no line of its own.
 */
#define COUNT_LINES 170u
#define COUNT_OTHER 0xffffu

struct domain_count {
	u16 core;  /* of the peer, COUNT_OTHER in the last line */
	u16 class; /* of the messages */
	u32 used;  /* whether the line counts anything */
	u64 sent;
	u64 received;
};

struct domain_counts {
	struct domain_count line[COUNT_LINES];
};

static_assert(sizeof(struct domain_counts) <= PAGE_SIZE, "one page");

static inline const struct domain_start *domain_start(void)
{
	return (const struct domain_start *)DOMAIN_START_VA;
}

#endif
