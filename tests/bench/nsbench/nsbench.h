/*
 * nsbench: how fast mount namespaces are created, by how many cores at once.
 *
 * One static binary, the same on Skerry and on Linux. This is what its files share.
 */
#ifndef NSBENCH_H
#define NSBENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What was asked for. */
struct plan {
	const struct mode *mode;
	uint32_t cores;   /* that work, from core 0 on */
	uint32_t workers; /* at once, on those in turn; as many as cores, or more */
	uint32_t ops;     /* of each worker */
	uint32_t warm;    /* before those, not counted */
	uint32_t mounts;  /* in the namespace, the root among them */
	uint32_t tree;    /* mounts in the tree that is copied */
	uint32_t readers; /* processes that read mountinfo all the time */
	uint32_t kept;    /* namespaces that exist already */
	bool crowded;     /* the tree's folder is on the mount that has all the others */
	uint32_t round;   /* how often all of it has been done before: the seed */
};

#define MAX_PLANS 64
/* Bits of a cpu_set_t. (musl's CPU_SETSIZE counts its bytes.) */
#define MAX_WORKERS 1024
#define MAX_OTHERS  4096 /* readers and namespaces kept */

/* What the command line asks for, *@rounds times: up to MAX_PLANS @plans; how many. options.c */
uint32_t read_plans(int argc, char **argv, struct plan *plans, uint32_t *rounds);

/* A way of creating a namespace. */
struct mode {
	const char *name, *about;
	/* Once and again: 0 or a negative errno value. */
	int (*run)(void);
};

/* The modes, until one without a name. modes.c */
extern const struct mode modes[];

/* The folder whose tree is copied. */
#define TREE "/tree"

/* Make the world of @p: a root of its own, mounts, a tree. Ends the program if that fails. */
void world_make(const struct plan *p, const char *self);

/* A negative errno value instead of -1. */
int failed(long result);

/* Print "nsbench: ..." with errno's text for @error (negative; 0: none), and end with status 1. */
_Noreturn void die(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
