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

/**
 * Writes the image for one run: with the root file system @root (a folder, or a file of archives;
 * NULL: the image itself is the root), and with @command, a program of the root and its arguments,
 * if it has words. Returns the name by which a child of hake can open it, while hake runs.
 */
char *image_write_run(const struct project *p, const struct topology *t, const char *root,
		      const struct strv *command);

/** Writes the image for Linux, with the program @init as its first. Returns its file. */
char *image_write_linux(const struct project *p, const char *init);

/** The same with one program only, which takes Linux less time to unpack. */
char *image_write_linux_program(const struct project *p, const char *init, const char *program);

/** The path of the program @name, which may be without its folder; @name if there is none. */
const char *image_find_program(const struct project *p, const char *name);

/**
 * Ends hake, with the nearest name, unless the image (@for_linux: the one for Linux) will have the
 * program @path; a Linux program is also found with "/" before it.
 */
void image_check_program(const struct project *p, const char *path, bool for_linux);

#endif
