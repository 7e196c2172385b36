/*
 * The boot image: a cpio archive (newc) of the CPU driver, the machine description, the native
 * programs and whatever else Hakefiles put there.
 */
#ifndef HAKE_IMAGE_H
#define HAKE_IMAGE_H

#include "model.h"
#include "topology.h"

/** Writes the image for the machine @t. Everything in it must be built. Returns its file. */
char *image_write(const struct project *p, const struct topology *t);

/** Ends hake, with the nearest name, unless the image will have the program @path. */
void image_check_program(const struct project *p, const char *path);

#endif
