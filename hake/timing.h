/*
 * Running QEMU under the timing model (hake/timing/README.md).
 */
#ifndef HAKE_TIMING_H
#define HAKE_TIMING_H

#include "model.h"
#include "topology.h"

/* How to time. */
struct timing_run {
	const char *machine; /* a name in hake/timing/machines, or a file */
	const char *out;     /* of the report; NULL: the build folder's timing.json */
	const char *profile; /* where its profile goes; NULL: nowhere */
	u64 seed;
	u32 jitter; /* per cent of the cost of a transfer */
};

/** The file of machine description @name. Ends hake, with suggestions, if there is none. */
char *timing_machine(const char *name);

/** What must be built for @r, which may name no machine. */
void timing_targets(const struct project *p, const struct timing_run *r, struct strv *targets);

/** What comes before QEMU's program, and its arguments, for machine @t under the model. */
void timing_before(struct strv *argv);
void timing_args(struct strv *argv, const struct topology *t, const struct timing_run *r);

#endif
