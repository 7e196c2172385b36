/*
 * QEMU's command line, and which way of running it works here.
 */
#ifndef HAKE_QEMU_H
#define HAKE_QEMU_H

#include "timing.h"
#include "topology.h"

enum accel { ACCEL_AUTO, ACCEL_KVM, ACCEL_TCG, ACCEL_ICOUNT };

/* A virtual machine to be started. */
struct vm {
	const struct topology *topology;
	enum accel accel;
	const char *firmware; /* "qboot", "seabios", "iso-bios", "iso-uefi" */
	const char *kernel;   /* the loader */
	const char *image;
	const char *iso;    /* for "iso-...": holds the two above and the command line */
	const char *append; /* the loader's command line */
	const struct timing_run *timing; /* under the timing model, or NULL */
	bool gdb;                        /* wait for a debugger on port 1234 */
	struct strv extra;
};

/** QEMU's arguments for cores, nodes, distances and memory. Ends hake if it cannot be built. */
void qemu_machine_args(struct strv *argv, const struct topology *t);

/** The whole command. Checks that there is such a QEMU and that it can have so many cores. */
struct strv qemu_command(const struct vm *vm);

/* Skerry gives QEMU no IOMMU, without which KVM can interrupt no APIC with a longer id. */
#define QEMU_KVM_CORES 255

/**
 * ACCEL_AUTO becomes the fastest way that works here for @ncores cores; says so in one line if
 * @tell. Ends hake if another way was wanted and does not work.
 */
enum accel qemu_choose_accel(enum accel wanted, u32 ncores, bool tell);

/** The program: $SKERRY_QEMU, else qemu-system-x86_64. */
const char *qemu_program(void);

#endif
