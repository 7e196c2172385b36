/*
 * Where the cycles go: what hake/timing/profile.c has written, with the names of functions.
 *
 *   names.c    whose code a block is, and in which function
 *   kernel.c   the functions of Linux's kernel, as it lists them itself
 *   read.c     a profile, as sums by stack and by function
 *   flame.c    a flame graph
 *   main.c     "hake bench --profile", "hake profile": tables, and all of it
 */
#ifndef HAKE_PROFILE_H
#define HAKE_PROFILE_H

#include "../elf_file.h"
#include "../model.h"

/* The beginning of a block of code as it was executed. */
struct profile_code {
	u64 address;
	u32 n;
	u8 bytes[32];
};

struct profile_name {
	const char *program, *function;
};

/* --- names.c --- */

struct profile_names;

/** Those of the image's programs; and the kernel's, Skerry's or, if @linux_list, Linux's. */
struct profile_names *profile_names_of(const struct project *p, const char *linux_list);
/** Never NULL: code that nobody knows has its address. */
struct profile_name profile_name(const struct profile_names *names, const struct profile_code *c);

/* --- kernel.c --- */

/** The kernel's words for its command line: its functions are then where the list has them. */
#define PROFILE_LINUX_WORDS "nokaslr"

/** "ADDRESS TYPE NAME" lines of the Linux kernel; boots it to ask, unless that is known. */
const char *profile_linux_list(const struct project *p);

/* --- read.c --- */

/* A stack, "program;caller;...;function", or a function, "program;function". */
struct profile_sum {
	const char *key;
	double cycles, instructions; /* of its own */
	double all;                  /* of a function: cycles with all that it called */
	double *core;                /* of a function: its own cycles on each core */
};

struct profile_sums {
	struct profile_sum *v; /* by key once it is read */
	size_t n;
	u32 *slots, nslots;
};

struct profile {
	struct profile_sums stacks, functions;
	double cycles, instructions;
	u32 ncores;
	double *core; /* cycles of each, without halts */
};

/** Reads the first report in the file @path. Ends hake if it is not a profile. */
void profile_read(struct profile *out, const char *path, const struct profile_names *names);

/* --- flame.c --- */

/** A flame graph of @v->stacks as SVG: callers below, widths by cycles. */
void profile_flame(const struct profile *v, const char *title, struct buf *out);

/* --- main.c --- */

/** "hake profile": names what is in a profile's file. */
int profile_main(int argc, char **argv);
/** "hake bench --profile ...": the same for a mode of nsbench, on both systems. */
int profile_bench(const struct project *p, int argc, char **argv);

#endif
