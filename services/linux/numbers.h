/*
 * The numbers of processes, threads, groups and sessions over all cores, as one core knows them.
 *
 * Numbers belong to cores in blocks of PID_BLOCK. Core 0 has all that it has not leased to others;
 * the others lease blocks from it, give processes numbers out of them, and use these again: so a
 * fork needs no other core. Leased blocks are never given back, but by the death of the core.
 *
 * The core that has a number's block is the number's home. It knows where the process or thread
 * lives that has left with it, and which other cores have members of the group or session.
 *
 * A pure state machine: what must be asked of other cores is its user's part (directory.c).
 * Runs in: the personality's domain, host tests.
 */
#ifndef LINUX_NUMBERS_H
#define LINUX_NUMBERS_H

#include <skerry/types.h>

#define PID_BLOCK         64u
#define PID_RESERVED      300u /* the lowest number that is given again, after the highest */
#define PID_LEASE_BLOCKS  4u   /* leased at once */
#define NUMBERS_CORES_MAX 512u

/* What a number can be to a core. */
enum number_use {
	NUMBER_TASK,    /* a process (until it is reaped) or thread that lives here */
	NUMBER_GROUP,   /* a group with so many members here */
	NUMBER_SESSION, /* the same */
	NUMBER_USES,
};

struct core_set {
	u64 bits[NUMBERS_CORES_MAX / 64];
};

struct number {
	struct number *next; /* of the same hash */
	u32 number;
	u32 uses[NUMBER_USES];
	u32 moves; /* how often its process had moved when this was told: what is older is ignored
		    */
	u16 away;  /* at home: 1 + the core where it lives that left, or 0 */
	struct core_set *others[NUMBER_USES]; /* at home: cores with members; NULL: none */
};

struct numbers {
	u32 core;
	u64 *max;   /* numbers are below: kernel.pid_max */
	u32 last;   /* where the next is looked for: behind it */
	u32 newest; /* given last; 0: none */
	struct number **slots;
	u32 nslots, count;
	u32 *blocks; /* not core 0: those leased, by number / PID_BLOCK */
	u32 nblocks;
	u16 *owner; /* core 0: 1 + the core that has leased the block; 0: it is core 0's own */
	u32 nowner;
	u32 next_lease; /* core 0: blocks from here on are looked at */
};

/** Begin on @core: 0, -ENOMEM. @max stays the caller's, who may change it. */
int numbers_init(struct numbers *n, u32 core, u64 *max);
void numbers_fini(struct numbers *n);

/** A number that nothing uses; 0: there is none (numbers_add() may help). */
u32 numbers_new(struct numbers *n);
/** Is @number used, as far as its home (this core) knows? */
bool numbers_in_use(const struct numbers *n, u32 number);
/** Is this core the home of @number? On core 0 only if it is not leased. */
bool numbers_is_home(const struct numbers *n, u32 number);

/**
 * What is known of a number; NULL: nothing. Good until the next change.
 */
struct number *numbers_find(const struct numbers *n, u32 number);

/** One more use of @number: 0, -ENOMEM (never if it is in use already). */
int numbers_get(struct numbers *n, u32 number, enum number_use use);
/** One less; whether that was the last of its kind. */
bool numbers_put(struct numbers *n, u32 number, enum number_use use);

/* At home. */
/** It lives on @core now, having moved @moves times; older news is ignored. 0, -ENOMEM. */
int numbers_set_away(struct numbers *n, u32 number, u32 core, u32 moves);
/** Nothing has it any more, wherever it was. */
void numbers_free_away(struct numbers *n, u32 number);
/** @core has members, or no longer. 0, -ENOMEM. */
int numbers_join(struct numbers *n, u32 number, enum number_use use, u32 core);
void numbers_leave(struct numbers *n, u32 number, enum number_use use, u32 core);

/* Leases. */
/** Core 0: @blocks for @core; the first block, or 0: there are none (or no memory). */
u32 numbers_lease(struct numbers *n, u32 core, u32 blocks);
/** Core 0: who has @number: its core. */
u32 numbers_owner(const struct numbers *n, u32 number);
/** Others: @blocks from @first on are ours. 0, -ENOMEM. */
int numbers_add(struct numbers *n, u32 first, u32 blocks);
/**
 * @core died. Its blocks are core 0's again; what lived there does not, and @gone is called for
 * each number that was known to live there.
 */
void numbers_core_died(struct numbers *n, u32 core, void (*gone)(u32 number, void *arg), void *arg);

bool core_set_is_empty(const struct core_set *set);

/** Call @fn for all that is known; it must not change the table. */
void numbers_each(const struct numbers *n, void (*fn)(const struct number *e, void *arg),
		  void *arg);

static inline bool core_set_has(const struct core_set *set, u32 core)
{
	return set && set->bits[core / 64] >> core % 64 & 1;
}

#endif
