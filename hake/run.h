/*
 * "hake run", and what running has in common with tests and benchmarks.
 */
#ifndef HAKE_RUN_H
#define HAKE_RUN_H

#include "guest.h"
#include "model.h"
#include "qemu.h"

/* What to boot. Zero or NULL: the usual. */
struct boot {
	const char *topology;
	u32 cores;
	const char *mem;
	enum accel accel;
	const char *firmware;
	const char *append;  /* for the kernel */
	const char *image;   /* instead of the one that is built */
	const char *program; /* in the image, with its arguments, for the kernel's command line */
	const char *root;    /* a root file system of somebody else's: a folder, or archives */
	struct strv command; /* a Linux program with its arguments, by way of the image */
	bool is_world;       /* Linux programs are to run */
	const char *key;     /* see guest.h */
	bool native;         /* the console of native programs instead of Linux */
	struct timing_run timing; /* under the timing model, if it names a machine */
	struct strv qemu_args;
	const char *only; /* Linux's image has this program and no other */
	bool on_linux;    /* not Skerry: linux.c, with programs of its image */
	bool gdb;
	bool tell;        /* whether it runs under KVM */
	bool panic_exits; /* a panic ends QEMU, with an exit status; otherwise it stops one core */
};

/** What @it, a boot test or a benchmark, boots. */
void boot_of_item(struct boot *b, const struct item *it);

/** The machine of @b, with its memory. */
struct topology *boot_machine(const struct boot *b);

/** Reads the options of "hake run" and "hake linux --run"; the program is what follows them. */
void run_options(struct boot *b, struct guest *g, int argc, char **argv, void (*help)(void));

/** Ends hake if the topology of @b or its program does not exist. */
void boot_check(const struct project *p, const struct boot *b);

/** The file of the loader, which must be one, or be called skerry. */
char *boot_loader(const struct project *p);

/** Writes the image for @b (all of it must be built); returns the QEMU command that boots it. */
struct strv boot_command(const struct project *p, const struct boot *b);

/** The command line that the loader gets. */
char *boot_append(const struct boot *b);

/** "hake run": boots on this terminal. */
int run_main(int argc, char **argv);

#endif
