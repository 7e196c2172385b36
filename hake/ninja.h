/*
 * From items to build.ninja, and running ninja.
 */
#ifndef HAKE_NINJA_H
#define HAKE_NINJA_H

#include "model.h"

/** Writes build.ninja and compile_commands.json into the build folder. */
void ninja_write(const struct project *p);

/**
 * Builds @targets (all, if there are none), one hake at a time. Ends hake if that fails.
 * To be called after ninja_write.
 */
void ninja_run(const struct strv *targets);

/** As ninja_run, but says whether all could be built. */
bool ninja_try(const struct strv *targets);

/** The file that @it is linked or archived into (for a library: its build for the host). */
char *item_output(const struct item *it);

/** How many programs a unit test is built into: one for each of its sanitizers. */
size_t unit_test_count(const struct item *it);

/** The name of the @i-th of them: "ump", "ump-thread". */
char *unit_test_name(const struct item *it, size_t i);

/** ... and its file. */
char *unit_test_output(const struct item *it, size_t i);

/** Where in the image @it, a domain or a kernel, is found. */
char *image_path(const struct item *it);

#endif
