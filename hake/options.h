/*
 * Command line options, with errors that help.
 */
#ifndef HAKE_OPTIONS_H
#define HAKE_OPTIONS_H

#include <getopt.h>

#include "util.h"

/**
 * The next long option: its val, with optarg as getopt_long(3) sets it; -1 at the end. The
 * first word that is no option, and "--", end the options if @stop, else words are moved behind.
 * An unknown option ends hake, with the nearest known one.
 */
int parse_option(int argc, char **argv, const struct option *options, bool stop);

/** @text, the argument of @option, as a whole number above 0. */
u32 parse_count(const char *text, const char *option);

#endif
