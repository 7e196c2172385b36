/*
 * The boot image: a cpio archive (newc) of the CPU driver, the machine description, the native
 * programs and whatever else Hakefiles put there. Linux gets one of the same files, but for what
 * only Skerry can run.
 */
#ifndef HAKE_IMAGE_H
#define HAKE_IMAGE_H

#include "model.h"
#include "topology.h"

/** Writes the image for the machine @t. Everything in it must be built. Returns its file. */
char *image_write(const struct project *p, const struct topology *t);

/** Writes the image for Linux, with the program @init as its first. Returns its file. */
char *image_write_linux(const struct project *p, const char *init);

/**
 * Ends hake, with the nearest name, unless the image (@for_linux: the one for Linux) will have the
 * program @path; a Linux program is also found with "/" before it.
 */
void image_check_program(const struct project *p, const char *path, bool for_linux);

#endif
