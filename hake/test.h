/*
 * Tests and benchmarks.
 */
#ifndef HAKE_TEST_H
#define HAKE_TEST_H

#include "model.h"

/** "hake test": runs tests, at once where the machine allows. */
int test_main(int argc, char **argv);

/** "hake boot-test NAME": one run of Skerry and what it must show; called by hake test. */
int boot_test_main(int argc, char **argv);

/** The boot test of that name; ends hake if there is none. */
const struct item *boot_test_find(const struct project *p, const char *name);

/** "hake bench": runs benchmarks. */
int bench_main(int argc, char **argv);

#endif
