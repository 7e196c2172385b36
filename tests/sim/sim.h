/*
 * The randomized simulator of agreement: many cores, each running the very library code, on a
 * network that delays and reorders between channels, with cores that stall and die at any step.
 *
 * Everything that happens in a schedule follows from its seed.
 *
 *   main.c   command line; runs schedules, in parallel processes
 *   world.c  cores, channels, time; what the monitor would do for the library (I/O)
 *   work.c   what the cores ask for: random requests
 *   memory.c borrowing, mapping and revoking memory, and what must hold of that
 *   check.c  the history of every object, and what must hold of it
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <agree/agree.h>
#include <agree/map.h>
#include <agree/names.h>
#include <memown/memown.h>
#include <skerry/types.h>

#define SIM_CORES        64u
#define SIM_OBJECTS      24u
#define SIM_OPS          400u
#define SIM_CHAIN        512u /* changes of one object in one schedule */

#define SIM_SHARE_GRAINS 4u /* of 2 MiB, in a core's share of memory */
#define SIM_GRAINS       (SIM_CORES * SIM_SHARE_GRAINS)

enum sim_grain { SIM_NOT_HERE, SIM_FREE, SIM_USED, SIM_RETIRED };

#define SIM_NAMES 4u

struct sim_line {
	struct sim_line *next;
	u16 type;
	u64 at_ns;
	u8 payload[AGREE_LINE];
};

struct sim_channel {
	struct sim_line *head, *tail;
	u32 slot; /* in the list of channels with something in them, plus one */
};

/* Something the monitor does for the library, and that takes time. */
struct sim_chore {
	u16 kind; /* AGREE_OUT_* */
	u16 core; /* for whom */
	u16 about;
	u64 token;
	struct agree_range range;
};

struct sim_core {
	struct agree *agree;
	struct agree_out *out;
	bool dead;
	u64 stalled_until;
	u32 die_after; /* entries of the outbox it still puts out; 0: not marked */
	struct memown memown;
	struct names names;
	u8 has[SIM_GRAINS];    /* enum sim_grain: what its allocator has */
	u8 mapped[SIM_GRAINS]; /* 1: it maps part of this one */
};

enum sim_op_kind {
	SIM_SHARE,
	SIM_CHANGE,
	SIM_LEAVE,
	SIM_DESTROY,
	SIM_TXN,
	SIM_NAME,
	SIM_LOOKUP,
	SIM_BORROW,
	SIM_GIVE_BACK,
	SIM_MAP,
	SIM_REVOKE,
	SIM_OP_KINDS
};

struct sim_op {
	u8 kind;
	u16 core;
	bool answered;
	s64 status;
	u32 parts;
	struct sim_part {
		u32 obj; /* index */
		struct map_op op;
		u64 seq;     /* as performed, 0: not */
		u64 floor;   /* the newest acknowledged change when this was asked */
		u64 ceiling; /* the newest known when this was answered */
	} part[AGREE_TXN_MAX];
	u32 what;  /* name, or first grain */
	u32 owner; /* of memory that is mapped */
};

struct sim_entry {
	u64 sign; /* of what was performed; 0: nothing yet */
	u8 kind;
	struct map_op op;
	bool acked;
};

struct sim_object {
	u64 id;
	u64 top; /* highest entry in use */
	u64 acked_top;
	bool destroyed; /* somebody asked for it */
	bool leased;
	struct core_set holds; /* cores that got a replica and have not given it up */
	struct sim_entry chain[SIM_CHAIN];
};

struct sim_config {
	u64 seed;
	bool trace;
};

struct sim {
	struct sim_config cfg;
	u64 rng;
	u64 now_ns;
	u32 ncores;
	struct machine *machine;
	u64 machine_room[1024];
	struct sim_core core[SIM_CORES];
	struct sim_channel channel[SIM_CORES][SIM_CORES];
	u32 busy[SIM_CORES * SIM_CORES]; /* channels with lines in them */
	u32 nbusy;
	struct sim_line *spare;
	struct sim_chore chore[512];
	u32 nchores;
	struct sim_object object[SIM_OBJECTS];
	u32 nobjects;
	struct sim_op op[SIM_OPS];
	u32 nops;
	u32 unanswered;
	u32 ops_left, kills_left, stalls_left;
	u32 misfortune_in; /* a kill or stall about once in so many steps */
	u32 registered;    /* names that a live core has registered for sure, one bit each */
	u32 no_memory_in;  /* one allocation in so many fails; 0: none */
	bool names, memory_moves;
	bool calm; /* nothing new happens: only what is under way */
	size_t allocated;
	u64 lines, steps;
	u32 observing; /* the core whose library is running */
	struct agree_memory memory;
	const char *failure; /* what went wrong first, or NULL */
	char detail[200];
};

struct sim_totals {
	u64 schedules, lines, steps, ops, acked, kills, fenced, stalls, lost, views;
	u64 failures;
	u64 first_seed;
};

/* world.c */
u64 sim_random(struct sim *s);
u32 sim_below(struct sim *s, u32 n);
bool sim_chance(struct sim *s, u32 one_in);
void sim_start(struct sim *s, const struct sim_config *cfg, struct sim_totals *t);
bool sim_step(struct sim *s, struct sim_totals *t);
void sim_drain(struct sim *s, u32 core);
void sim_kill(struct sim *s, u32 core, const char *how);
void sim_end(struct sim *s, struct sim_totals *t);
void sim_trace(const struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sim_fail(struct sim *s, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool sim_awake(const struct sim *s, u32 core);

/* work.c */
void sim_work_start(struct sim *s);
void sim_work(struct sim *s);
void sim_recall(struct sim *s, u32 core, u64 id);

struct sim_op *sim_op_begin(struct sim *s, u32 core, u32 kind);
void sim_op_refused(struct sim *s, struct sim_op *op);

/* memory.c */
int sim_memory_start(struct sim *s, u32 core, const struct agree_config *cfg, u32 type);
void sim_memory_work(struct sim *s, u32 core);
void sim_memory_answered(struct sim *s, struct sim_op *op);
void sim_memory_unmap(struct sim *s, u32 core, const struct agree_range *range, u64 token);
void sim_memory_check_end(struct sim *s);

/* check.c */
void sim_observe(void *ctx, u64 id, u64 seq, u32 kind, const struct agree_op *op);
void sim_answered(struct sim *s, u32 core, u64 token, s64 status, struct sim_totals *t);
void sim_check_end(struct sim *s, struct sim_totals *t);
struct sim_object *sim_object(struct sim *s, u64 id);
u64 sim_replica_seq(struct sim *s, u32 core, u64 id);

#endif
