/*
 * Building the domain of a program: address space, pages, capabilities.
 *
 * Private to program.c and build.c.
 */
#ifndef MONITOR_BUILD_H
#define MONITOR_BUILD_H

#include "program.h"

/* What the monitor maps of a program for as long as it lives: its start, call and count page. */
#define PROGRAM_WINDOW (DOMAIN_PAGES * PAGE_SIZE)

/**
 * Make the domain, ready to start: fills block, caps, start, name of @p, whose number is set.
 * Returns as program_new(). On failure unbuild_program() is to be called as well.
 */
int build_program(struct program *p, const struct program_plan *plan);

/** Take back all that build_program() made. */
void unbuild_program(struct program *p);

/** The badge of @p's endpoint to its monitor. */
u64 program_badge(const struct program *p);

#endif
