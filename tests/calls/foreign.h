/*
 * Foreign code for context.c: assembly that never runs in this program, but is copied into a
 * context's address space.
 */
#ifndef CALLS_FOREIGN_H
#define CALLS_FOREIGN_H

#include <skerry/types.h>

/* Each from its label to the next one. */
extern const u8 foreign_syscall[], foreign_write[], foreign_read[], foreign_ud2[], foreign_loop[],
	foreign_xmm[], foreign_hlt[], foreign_out[], foreign_end[];

#endif
