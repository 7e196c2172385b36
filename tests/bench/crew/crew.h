/*
 * Benchmarks by workers: processes pinned to cores, which do the same at the same moment.
 *
 * A program of this kind is one static binary, the same on Skerry and on Linux: the files of this
 * folder, its modes, and the world that they work in.
 *
 *   main.c      what is measured, and what came out
 *   workers.c   processes that begin together
 *   tools.c     what they and the modes need
 *   options.c   the command line
 */
#ifndef BENCH_CREW_H
#define BENCH_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What was asked for. Those from mounts on say what the world is: see plan_numbers. */
struct plan {
	const struct mode *mode;
	uint32_t cores;   /* that work, from core 0 on */
	uint32_t workers; /* at once, on those in turn; as many as there is room for, or more */
	uint32_t ops;     /* of each worker */
	uint32_t warm;    /* before those, not counted */
	uint32_t mounts;  /* in the namespace, the root among them */
	uint32_t tree;    /* mounts in the tree that is copied */
	uint32_t readers; /* processes that read mountinfo all the time */
	uint32_t kept;    /* namespaces that exist already */
	uint32_t crowded; /* not 0: the tree's folder is on the mount that has all the others */
	uint32_t round;   /* how often all of it has been done before: the seed */
};

#define MAX_PLANS 64
/* Bits of a cpu_set_t. (musl's CPU_SETSIZE counts its bytes.) */
#define MAX_WORKERS 1024

/* What the command line asks for, *@rounds times: up to MAX_PLANS @plans; how many. options.c */
uint32_t read_plans(int argc, char **argv, struct plan *plans, uint32_t *rounds);

/* --- What a program has --- */

/* "nsbench": figures are lines "@nsbench ...", failures "@nsbench_failed ...". */
extern const char bench_name[], bench_about[];

/* Numbers of a plan that the program knows beside those of every program; until one without a
 * name. */
struct plan_number {
	const char *name, *about;
	size_t offset; /* of an uint32_t in struct plan */
	uint32_t most; /* 1: yes or no */
	uint32_t usual;
};
extern const struct plan_number plan_numbers[];

/* Something to be measured. */
struct mode {
	const char *name, *about;
	/* Once and again: 0 or a negative errno value. */
	int (*run)(void);
	/* Before the first time, in worker @worker, on its core; NULL: nothing. */
	int (*prepare)(const struct plan *p, uint32_t worker);
	/* The core of a worker; NULL: cores in turn. */
	uint32_t (*core)(const struct plan *p, uint32_t worker);
	/* Cores that one worker keeps busy; 0 is 1. */
	uint32_t cores_each;
};

/* The modes, until one without a name. */
extern const struct mode modes[];

/* Make the world of @p, in a process of its own, and whatever goes on beside the workers. @self is
 * this program. Ends the program if that fails. */
void world_make(const struct plan *p, const char *self);

/* End what goes on beside the workers. */
void world_end(void);

/* --- For all of them --- */

/* A negative errno value instead of -1. */
int failed(long result);

/* Have the calling process on @core: 0 or a negative errno value. */
int pin(uint32_t core);

/* Runs @fn in a child that ends with what it returns, negated: that, or another error. */
int in_child(int (*fn)(void));

/* A copy of a program; or the program ends. */
void copy_program(const char *from, const char *to);

/* All @len bytes, or the program ends. */
void send_all(int fd, const void *data, size_t len);
void receive_all(int fd, void *data, size_t len);

/* Print "PROGRAM: ..." with errno's text for @error (negative; 0: none), and end with status 1. */
_Noreturn void die(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
