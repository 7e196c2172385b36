/*
 * Benchmarks that run on Skerry and on Linux: the same file, in the same QEMU, on the same machine.
 */
#ifndef HAKE_BESIDE_H
#define HAKE_BESIDE_H

#include "model.h"

/* What of a benchmark beside Linux is wanted. */
struct beside_options {
	bool only_skerry;  /* no Linux */
	bool no_time;      /* instructions only */
	bool write_readme; /* renew the figures in the top folder's README.md */
};

/** Whether @it runs a Linux program, so that Linux can run it, too. */
bool beside_can(const struct item *it);

/**
 * Runs it on both, shows a table, and keeps it in the build folder as NAME.txt (what was said),
 * NAME.csv and NAME.json. Without a Linux kernel Skerry is measured alone, which is said.
 * Returns whether everything ran; a row that misses its goal is shown, and is no failure.
 */
bool beside_run(const struct project *p, const struct item *it, const struct beside_options *o);

#endif
