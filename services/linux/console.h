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

/** The size of the terminal behind the line; before console_init(). */
void console_set_size(u32 rows, u32 cols);

/** Wait until all that was written has left. */
void console_flush(void);

#endif
