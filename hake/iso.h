/*
 * A bootable ISO: GRUB for BIOS and UEFI, the loader and an image.
 */
#ifndef HAKE_ISO_H
#define HAKE_ISO_H

#include "util.h"

/** Makes @file, with @loader, @image and the command line @append. */
void iso_write(const char *file, const char *loader, const char *image, const char *append);

/** "hake iso": makes build/skerry.iso. */
int iso_main(int argc, char **argv);

#endif
