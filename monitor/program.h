/*
 * Native programs of this core: building a domain out of an ELF file of the boot image, and its
 * end.
 *
 *   program_new -> running --death event--> program_reap: what it had is taken back
 *
 * A program's own objects and memory lie in one block, which is revoked at its end; blocks that it
 * asked for later are its too (mem.h, owner = its number). Text and read-only data are mapped
 * straight from the image. Pages are writable or executable, never both (lib/elf refuses others).
 */
#ifndef MONITOR_PROGRAM_H
#define MONITOR_PROGRAM_H

#include "mem.h"
#include <skerry/monitor.h>

#define PROGRAMS_MAX 94u /* one doorbell number each: 1 to 94 */

/* Something to tell a program (MON_NOTICE): part of the object that it is about. */
struct notice {
	struct notice *next;
	bool queued;
	u32 what; /* NOTICE_* */
	u32 object;
	u64 a, b;
};

/* What the monitor holds of a program, in its own table of capabilities. */
enum program_cap {
	PROGRAM_DOMAIN,
	PROGRAM_ASPACE,
	PROGRAM_CNODE,
	PROGRAM_TABLE,
	PROGRAM_FRAME, /* all that is private and mapped: shared pages, stack, data */
	PROGRAM_TIMER,
	PROGRAM_RAM,
	PROGRAM_ENDPOINT, /* to the monitor */
	PROGRAM_BELL,     /* to ring it */
	PROGRAM_CAPS
};

struct program {
	u32 number; /* 1 to PROGRAMS_MAX: also its owner number in mem.h, and its doorbell's */
	u32 generation;
	bool used;
	bool privileged; /* may do what is for tests and the console's program */
	char name[DOMAIN_NAME_MAX];
	cap_t block; /* its own objects */
	cap_t caps[PROGRAM_CAPS];
	u32 ngifts;
	cap_t gifts[DOMAIN_GIFTS];  /* the originals of what it was given */
	struct domain_start *start; /* its pages, mapped here; bytes mapped: PROGRAM_WINDOW */
	struct notice *notices, **notices_last;
	bool watches_cores;
	struct notice cores_changed;
	u32 task_core; /* who wants to know how it ends */
	u32 task;
};

struct program_plan {
	const struct mon_spawn *what;
	u32 task_core;
	u32 task;
	bool privileged;
	u32 ngifts;
	cap_t gifts[DOMAIN_GIFTS]; /* copied into DOMAIN_SLOT_GIFTS and following */
};

void program_init(void);

/**
 * Build and start a program. The plan's gifts are its from then on, and dropped at its end; if it
 * cannot be started, they stay the caller's.
 * Returns 0 and sets *@out; -ENOENT (not in the image), -ENOEXEC (no native program), -ENOMEM,
 * -EINVAL (arguments), -EAGAIN (PROGRAMS_MAX are running).
 */
int program_new(const struct program_plan *plan, struct program **out);

/** The program that an endpoint's badge names, NULL if it is gone. */
struct program *program_by_badge(u64 badge);

/** The program with that number, NULL if there is none. */
struct program *program_by_number(u32 number);

void program_stop(struct program *p);

/** After EVENT_DEATH: find out who died, and take back what they had. */
void program_reap(void);

/** Put a notice behind the others and ring; one that is queued already stays where it is. */
void program_notify(struct program *p, struct notice *notice);

/** Other cores live than before: tell those who watch. */
void program_notify_cores(void);

/** Take the first notice; NULL if there is none. */
struct notice *program_take_notice(struct program *p);

/** The object that @notice is part of is going away. */
void program_drop_notice(struct program *p, struct notice *notice);

#endif
