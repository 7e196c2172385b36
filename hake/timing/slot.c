/*
 * One vCPU at a time, smallest clock first.
 *
 * A vCPU executes guest code only while it holds the slot. The slot goes to the core that wants
 * to run and has the smallest clock, for a slice: until its clock is a quantum past the second
 * smallest. What decides (clocks, states) is a function of the guest's execution alone, so a run
 * can be repeated; where the host could come between, the slot is not given before it has:
 *  - a halted vCPU that was woken has said that it goes on (or halts again);
 *  - QEMU's main loop has seen what a vCPU's I/O started, and the timers that are due.
 *
 * QEMU may wait until all vCPUs have left their blocks ("exclusive" work), while they wait here:
 * then each is let go for one block. A watchdog answers for what the plugin does not know of; it
 * counts what it does, for then a run cannot be repeated.
 */
#include "timing.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A core alone runs this long before it looks around, in millicycles. */
#define LONGEST_SLICE (20000 * MILLI)
/* The watchdog looks so often, and acts after so many looks without a change. */
#define WATCH_US    2000
#define WATCH_LOOKS 2500

static struct {
	pthread_mutex_t lock;
	struct core *holder;
	uint64_t now;      /* clock of the last grant: nobody who wants to run is behind it */
	uint64_t deadline; /* of the main loop's sleep */
	bool main_busy;    /* the main loop works: nobody new goes on */
	bool drain;        /* it is to look before anybody goes on */
	uint64_t drains;   /* how often that was said */
	uint32_t nkicked;
	uint64_t grants, releases;
	bool open, stopping;
} slot = {.lock = PTHREAD_MUTEX_INITIALIZER, .deadline = UINT64_MAX, .main_busy = true};

__thread struct core *this_core __attribute__((tls_model("initial-exec")));

static void futex(uint32_t *word, int op, uint32_t value)
{
	syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void open_gate(struct core *c)
{
	__atomic_add_fetch(&c->gate, 1, __ATOMIC_RELEASE);
	futex(&c->gate, FUTEX_WAKE, 1);
}

/* The clock at which @c next does something, or ~0. */
static uint64_t next_clock(const struct core *c)
{
	switch (c->state) {
	case CORE_READY:
		return core_clock(c);
	case CORE_PARKED:
		return c->wake_limit;
	default:
		return UINT64_MAX;
	}
}

/* The two cores that are next; clocks ~0 where there is none. */
static struct core *two_smallest(uint64_t *first, uint64_t *second)
{
	struct core *best = NULL;

	*first = *second = UINT64_MAX;
	for (uint32_t i = 0; i < timing.ncores; i++) {
		struct core *c = &timing.cores[i];
		uint64_t clock = c->spent ? next_clock(c) : UINT64_MAX;

		if (clock < *first) {
			*second = *first;
			*first = clock;
			best = c;
		} else if (clock < *second) {
			*second = clock;
		}
	}
	return best;
}

/* A slice for @c, up to a quantum past @second. */
static void grant(struct core *c, uint64_t clock, uint64_t second)
{
	uint64_t end = clock + LONGEST_SLICE;

	if (second != UINT64_MAX && second + timing.quantum < end)
		end = second + timing.quantum;
	if (slot.deadline < end)
		end = slot.deadline;
	if (end <= clock)
		end = clock + 1;
	if (c->state == CORE_PARKED) {
		c->state = CORE_READY;
		core_set_clock(c, clock);
	}
	*c->spent = SLICE_END - (end - clock);
	c->base = clock - *c->spent;
	slot.holder = c;
	slot.now = clock;
	slot.grants++;
	open_gate(c);
}

static void want_drain(void)
{
	slot.drain = true;
	slot.drains++;
}

/* Give the slot away if it is free and all who must have spoken have. Lock held. */
static void choose(void)
{
	uint64_t first, second;
	struct core *c;

	if (slot.holder || slot.nkicked || slot.main_busy || !slot.open)
		return;
	if (slot.drain) {
		clock_kick_main();
		return;
	}
	c = two_smallest(&first, &second);
	if (slot.deadline != UINT64_MAX && slot.deadline <= first) {
		/* Also when all are halted: time jumps to what is next. */
		if (slot.now < slot.deadline)
			slot.now = slot.deadline;
		want_drain();
		clock_kick_main();
		return;
	}
	if (c)
		grant(c, first, second);
}

static void release(struct core *c)
{
	if (slot.holder == c) {
		slot.holder = NULL;
		c->running = false;
	}
}

/* Wait for the slot, or to be let go without. Lock held; comes back with it. */
static void wait_turn(struct core *c)
{
	for (;;) {
		uint32_t gate = __atomic_load_n(&c->gate, __ATOMIC_ACQUIRE);

		if (slot.holder == c || slot.stopping)
			break;
		pthread_mutex_unlock(&slot.lock);
		futex(&c->gate, FUTEX_WAIT, gate);
		pthread_mutex_lock(&slot.lock);
		if (c->arrived)
			continue;
		/* Let go by the watchdog. */
		c->arrived = true;
		return;
	}
	c->running = slot.holder == c;
}

void slot_check(struct core *c)
{
	pthread_mutex_lock(&slot.lock);
	c->arrived = true;
	if (c->state == CORE_HALTED)
		c->state = CORE_READY;
	if (c->running || slot.holder != c) {
		core_end_slice(c);
		release(c);
		if (c->drain)
			want_drain();
		c->drain = false;
		choose();
	}
	wait_turn(c);
	pthread_mutex_unlock(&slot.lock);
}

void slot_strict(struct core *c)
{
	uint64_t mine, first, second;

	if (!c->running || timing.ncores == 1)
		return;
	pthread_mutex_lock(&slot.lock);
	mine = core_clock(c);
	two_smallest(&first, &second);
	pthread_mutex_unlock(&slot.lock);
	if (first < mine)
		slot_check(c);
}

void slot_park(struct core *c, uint64_t cycles)
{
	pthread_mutex_lock(&slot.lock);
	if (c->running) {
		c->wake_limit = core_clock(c) + cycles * MILLI;
		c->state = CORE_PARKED;
		c->stats.parked++;
		release(c);
		choose();
		wait_turn(c);
	}
	pthread_mutex_unlock(&slot.lock);
}

void slot_unpark(uint32_t index, uint64_t clock)
{
	struct core *c = &timing.cores[index];

	pthread_mutex_lock(&slot.lock);
	if (c->state == CORE_PARKED && clock < c->wake_limit) {
		if (clock > core_clock(c))
			core_set_clock(c, clock);
		c->state = CORE_READY;
	}
	pthread_mutex_unlock(&slot.lock);
	/* The writer is now a slice ahead of somebody. */
	if (this_core)
		core_end_slice(this_core);
}

static void kicked(struct core *c, bool on)
{
	if (c->kicked != on) {
		c->kicked = on;
		slot.nkicked += on ? 1 : -1u;
	}
}

void slot_halted(struct core *c)
{
	pthread_mutex_lock(&slot.lock);
	if (c->state != CORE_HALTED)
		c->stats.halts++;
	c->state = CORE_HALTED;
	if (c->spent)
		core_end_slice(c);
	release(c);
	choose();
	pthread_mutex_unlock(&slot.lock);
}

void slot_resumed(struct core *c)
{
	pthread_mutex_lock(&slot.lock);
	if (c->spent) {
		uint64_t at = c->kicked ? c->wake_clock : slot.now;

		core_end_slice(c);
		if (at > core_clock(c))
			core_set_clock(c, at);
	}
	c->state = CORE_READY;
	kicked(c, false);
	choose();
	pthread_mutex_unlock(&slot.lock);
}

void slot_halt_wait(struct core *c, pthread_cond_t *halt)
{
	pthread_mutex_lock(&slot.lock);
	c->waits_in_halt = halt != NULL;
	c->halt = halt;
	/* Woken for nothing, it waits again. */
	if (halt && c->kicked) {
		kicked(c, false);
		choose();
	}
	pthread_mutex_unlock(&slot.lock);
}

void slot_halt_wake(pthread_cond_t *halt)
{
	pthread_mutex_lock(&slot.lock);
	for (uint32_t i = 0; i < timing.ncores; i++) {
		struct core *c = &timing.cores[i];

		if (!c->waits_in_halt || c->halt != halt || c->kicked)
			continue;
		kicked(c, true);
		c->wake_clock = (this_core ? core_clock(this_core) : slot.now) +
				timing.machine.halt_wake * MILLI +
				(this_core ? timing.machine.ipi * MILLI : 0);
	}
	pthread_mutex_unlock(&slot.lock);
	if (this_core && this_core->running)
		core_end_slice(this_core);
}

uint64_t slot_now(void)
{
	return this_core && this_core->spent ? core_clock(this_core)
					     : __atomic_load_n(&slot.now, __ATOMIC_RELAXED);
}

uint64_t slot_main_look(void)
{
	return __atomic_load_n(&slot.drains, __ATOMIC_ACQUIRE);
}

void slot_main_idle(uint64_t deadline, uint64_t seen)
{
	pthread_mutex_lock(&slot.lock);
	slot.main_busy = false;
	slot.deadline = deadline;
	if (seen == slot.drains)
		slot.drain = false;
	choose();
	pthread_mutex_unlock(&slot.lock);
}

void slot_main_busy(void)
{
	pthread_mutex_lock(&slot.lock);
	slot.main_busy = true;
	pthread_mutex_unlock(&slot.lock);
}

bool slot_main_due(uint64_t deadline)
{
	return deadline <= __atomic_load_n(&slot.now, __ATOMIC_RELAXED);
}

/* Let every vCPU that waits here go for one block: QEMU has told them to stop after it. Lock
 * held. */
static void let_go(void)
{
	for (uint32_t i = 0; i < timing.ncores; i++) {
		struct core *c = &timing.cores[i];

		if (slot.holder == c || !c->arrived || c->state == CORE_HALTED)
			continue;
		c->arrived = false;
		open_gate(c);
	}
}

/* Something else is wrong: forget whom we wait for. Lock held. */
static void give_up_waiting(void)
{
	slot.releases++;
	/* A holder that never came may have been stopped on its way. */
	if (slot.holder && !slot.holder->running)
		slot.holder = NULL;
	slot.nkicked = 0;
	for (uint32_t i = 0; i < timing.ncores; i++)
		timing.cores[i].kicked = false;
	slot.drain = slot.main_busy = false;
}

static void *watchdog(void *unused)
{
	uint64_t last_grants = 0, last_spent = 0;
	uint32_t looks = 0;

	for (;;) {
		struct core *h;
		uint64_t spent;
		bool wanted;

		nanosleep(&(struct timespec){.tv_nsec = WATCH_US * 1000l}, NULL);
		pthread_mutex_lock(&slot.lock);
		h = slot.holder;
		spent = h && h->spent ? *(volatile uint64_t *)h->spent : 0;
		wanted = h != NULL;
		for (uint32_t i = 0; i < timing.ncores && !wanted; i++)
			wanted = timing.cores[i].spent && timing.cores[i].state != CORE_HALTED;
		if (!wanted || slot.grants != last_grants || spent != last_spent)
			looks = 0;
		else
			looks++;
		last_grants = slot.grants;
		last_spent = spent;
		if (looks >= WATCH_LOOKS) {
			looks = 0;
			let_go();
			give_up_waiting();
			choose();
		}
		pthread_mutex_unlock(&slot.lock);
	}
	return unused;
}

void slot_exclusive(struct core *c)
{
	pthread_mutex_lock(&slot.lock);
	if (c->running)
		let_go();
	pthread_mutex_unlock(&slot.lock);
}

void slot_stopping(bool on)
{
	pthread_mutex_lock(&slot.lock);
	slot.stopping = on;
	for (uint32_t i = 0; i < timing.ncores && on; i++)
		open_gate(&timing.cores[i]);
	if (!on)
		choose();
	pthread_mutex_unlock(&slot.lock);
}

void slot_open(void)
{
	pthread_mutex_lock(&slot.lock);
	slot.open = true;
	choose();
	pthread_mutex_unlock(&slot.lock);
}

uint64_t slot_releases(void)
{
	return slot.releases;
}

void slot_init(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, watchdog, NULL) != 0)
		timing_die("cannot start the watchdog");
	pthread_detach(thread);
}
