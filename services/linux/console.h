/*
 * The console of Linux programs; see console.c.
 */
#ifndef LINUX_CONSOLE_H
#define LINUX_CONSOLE_H

#include <vfs/file.h>

/** Open the serial line. 0 or a negative errno. */
int console_init(struct vfs *vfs);

/** Open the console as descriptors 0, 1 and 2 of the first process. */
int console_open(struct vfs_task *task);

/** Wait until all that was written has left. */
void console_flush(void);

#endif
