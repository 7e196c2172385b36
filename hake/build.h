/*
 * "hake build", and building what another command is about to use.
 */
#ifndef HAKE_BUILD_H
#define HAKE_BUILD_H

#include "ninja.h"

/** "hake build [FILE...]": builds everything, or just these. Returns an exit status. */
int build_main(int argc, char **argv);

/** Reads the Hakefiles and writes build.ninja for them. */
void build_configure(struct project *p);

/** The file, or item by its name, that @name means to ninja; ends hake if there is none. */
const char *build_target(const struct project *p, const char *name);

#endif
