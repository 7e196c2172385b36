/*
 * The timing model's parts, and what they know of each other. README.md explains the model.
 *
 * Units. A clock counts millicycles (1/1,000 cycle of the modelled core) since the guest started;
 * costs from the machine's description are cycles.
 *
 * Threads. QEMU runs each vCPU on a thread of its own; of them only the holder of the slot (slot.c)
 * executes guest code, so the caches and lines of memory.c need no lock. What other threads touch
 * is in slot.c, under its lock. No callback that QEMU makes with its global lock held (idle,
 * resume, what clock.c interposes) waits for anything but slot.c's short lock.
 */
#ifndef TIMING_TIMING_H
#define TIMING_TIMING_H

#include "machine.h"
#include "qemu_plugin.h"

#include <pthread.h>

#define MAX_CORES   512
#define MAX_SOCKETS 32
#define MILLI       1000ull

/* A slice of the slot ends when the vCPU's counter, which its code adds to, gets here. */
#define SLICE_END (1ull << 63)

struct cache;
struct tlb_entry;

/* What a core is doing, as the slot sees it. */
enum core_state {
	CORE_HALTED, /* in HLT, or not started */
	CORE_READY,  /* wants to run, or does */
	CORE_PARKED, /* spins on lines that nobody writes (memory.c) */
};

/* Counters of one core while the model is on. */
struct core_stats {
	uint64_t loads, stores, l2_hits, llc_hits, near, far, dram_local, dram_remote, upgrades,
		tlb_misses, halts, parked;
	uint64_t stall; /* millicycles */
};

#define SPIN_LINES 4

/* A vCPU. Fields below "its thread" are that thread's own. */
struct core {
	uint32_t index, socket;

	/* slot.c, under its lock */
	enum core_state state;
	bool arrived;         /* its thread is in, or was last seen coming to, slot_check() */
	bool running;         /* holds the slot and executes */
	bool kicked;          /* its halted thread was woken, and has not said what it does */
	bool waits_in_halt;   /* its thread is in QEMU's wait for the end of a halt */
	pthread_cond_t *halt; /* what it waits for there */
	uint64_t wake_clock;  /* not before this does it go on after a kick */
	uint64_t wake_limit;  /* parked: goes on then at the latest */
	uint32_t gate;        /* futex */

	/* its thread */
	uint64_t *spent;       /* QEMU's scoreboard: up to SLICE_END; see core_clock() */
	uint64_t base;         /* clock - *spent */
	bool drain;            /* did I/O: the main loop is to notice before anybody goes on */
	uint64_t random;       /* state of jitter */
	uint64_t space, gen;   /* of the TLB: the address space; flushes that cost nothing */
	struct tlb_entry *tlb; /* memory.c */
	struct cache *l1, *l2;
	struct { /* since the last PAUSE */
		uint64_t line[SPIN_LINES];
		uint32_t nlines, nstores, nmisses, rounds;
		uint64_t at;   /* address of the PAUSE */
		uint64_t done; /* instructions until then */
	} spin;
	struct core_stats stats;
	uint64_t *instructions;             /* QEMU's scoreboard */
	uint64_t since, since_instructions; /* when the statistics began */
};

/* What was asked for. */
struct timing {
	qemu_plugin_id_t id;
	struct machine machine;
	uint32_t ncores, cores_per_socket, nsockets;
	uint64_t quantum; /* millicycles a holder may run ahead of the next */
	uint64_t seed;
	uint32_t jitter; /* per cent of a transfer's cost, up or down */
	bool model;      /* caches are on; else only instructions and their prices count */
	struct core cores[MAX_CORES];
};

extern struct timing timing;

/* The vCPU whose thread this is, or NULL. */
extern __thread struct core *this_core __attribute__((tls_model("initial-exec")));

static inline uint64_t core_clock(const struct core *c)
{
	return *c->spent + c->base;
}

/* Let it cost @cycles. Its own thread. */
static inline void core_charge(struct core *c, uint64_t cycles)
{
	*c->spent += cycles * MILLI;
}

/* End the slice at the next block, without touching the clock. Its own thread. */
static inline void core_end_slice(struct core *c)
{
	if (*c->spent < SLICE_END) {
		c->base -= SLICE_END - *c->spent;
		*c->spent = SLICE_END;
	}
}

static inline void core_set_clock(struct core *c, uint64_t clock)
{
	c->base = clock - *c->spent;
}

/* --- slot.c: who runs --- */

void slot_init(void);
/* The slice of @c has ended, or it has just come: returns when it is its turn. */
void slot_check(struct core *c);
/* Returns when no core that wants to run is behind @c. */
void slot_strict(struct core *c);
/* @c waits, at a PAUSE, until slot_unpark() or for @cycles. */
void slot_park(struct core *c, uint64_t cycles);
/* Core @index may go on at @clock; nothing if it is not parked. The holder's thread. */
void slot_unpark(uint32_t index, uint64_t clock);
void slot_halted(struct core *c);
void slot_resumed(struct core *c);
/* @c's thread is about to wait for @halt, or was woken there; from clock.c. */
void slot_halt_wait(struct core *c, pthread_cond_t *halt);
/* Somebody wakes who waits for @halt. */
void slot_halt_wake(pthread_cond_t *halt);
/* Millicycles: of this thread's core, or what all agree has passed. */
uint64_t slot_now(void);
/* How much there was to look at when the main loop began to look. */
uint64_t slot_main_look(void);
/* It saw that, and has nothing to do before @deadline (millicycles; ~0: for ever). */
void slot_main_idle(uint64_t deadline, uint64_t seen);
void slot_main_busy(void);
/* Whether @deadline, in millicycles, has come. */
bool slot_main_due(uint64_t deadline);
/* The thread of @c, if it has the slot, waits until all others have left their blocks. */
void slot_exclusive(struct core *c);
/* While on, nobody waits for a turn. */
void slot_stopping(bool on);
/* How often cores had to be let go out of their turn, unexpectedly. */
uint64_t slot_releases(void);
/* All vCPUs exist. */
void slot_open(void);

/* --- clock.c: time as QEMU and the guest see it --- */

void clock_start(void);
/* Make the main loop look at its timers and events. */
void clock_kick_main(void);
/* This vCPU thread is, or is no longer, in a halt. */
void clock_in_halt(bool on);

/* --- memory.c: caches, coherence, memory --- */

int memory_init(void);
/* Jitter begins anew, from timing.seed. */
void memory_reseed(void);
void memory_access(struct core *c, uint64_t paddr, bool store, bool atomic);
/* The physical address that @vaddr had lately, or ~0: the caller then says memory_translated(). */
uint64_t memory_translate(struct core *c, uint64_t vaddr);
void memory_translated(struct core *c, uint64_t vaddr, uint64_t paddr);
void memory_flush_tlb(struct core *c, bool keep);
/* @c executes PAUSE at @vaddr. */
void memory_pause(struct core *c, uint64_t vaddr);
/* Node @node has memory at [@start, @start + @size). 0 or -1: too many. */
int memory_add_node(uint32_t node, uint64_t start, uint64_t size);

/* --- insn.c: instructions that cost more than others --- */

/* What the model does when an instruction executes, beyond its price. */
enum insn_event {
	INSN_PLAIN,
	INSN_PAUSE,
	INSN_TSC,
	INSN_CR3,
	INSN_INVLPG,
	INSN_IO,     /* the main loop may have something to do then */
	INSN_MARKER, /* a request to the model: operand in "marker" */
};

struct insn_info {
	enum insn_event event;
	uint64_t cycles; /* added to what every instruction costs */
	uint32_t marker;
	bool atomic;   /* reads and writes memory in one step */
	bool sets_ecx; /* to the constant "ecx" */
	uint32_t ecx;
};

/* Look at the instruction of @len bytes. @ecx: what ECX holds, ~0 if that is not known. */
struct insn_info insn_look(const uint8_t *code, size_t len, uint64_t ecx);

/* What an instruction does to the stack of calls. */
enum insn_flow { INSN_STAYS, INSN_CALL, INSN_MOVES_SP /* to another stack, perhaps */ };

enum insn_flow insn_flow(const uint8_t *code, size_t len);

/* Markers: the 8-byte NOP "nopl disp32(%rax,%rax,1)" with these displacements. */
#define MARKER_ON     0x53540001u /* caches on */
#define MARKER_REPORT 0x53540002u /* write the statistics; begin anew */
#define MARKER_OFF    0x53540003u /* caches off */
#define MARKER_SEED   0x53540004u /* jitter as with the next seed */
#define MARKER_BEGIN  0x53540005u /* statistics begin anew */
#define MARKER_LAST   MARKER_BEGIN

/* --- profile.c: where the cycles go --- */

/* Profiles go to the file @path. Returns whether it could be opened. */
bool profile_open(const char *path);
bool profile_on(void);
/* @c's thread, once, before it executes anything. */
void profile_init_core(struct core *c);
/* Before anything else is put into @tb. */
void profile_translate(struct qemu_plugin_tb *tb);
void profile_halted(struct core *c);
void profile_begin(void);
void profile_report(void);
/* The code of all is translated anew: what happens until they execute it is not seen. */
void profile_forget(void);

/* --- plugin.c --- */

/* Print why, and end QEMU with status 70. */
_Noreturn void timing_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
