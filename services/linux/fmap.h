/* Files behind mappings; see fmap.c. */
#ifndef LINUX_FMAP_H
#define LINUX_FMAP_H

#include <vfs/inode.h>

/** Pages @first to @last are no longer the file's: processes must ask for them again. */
void fmap_unmap(struct inode *inode, u64 first, u64 last);

/** Whether some process can write @inode through a mapping. */
bool fmap_is_writable(struct inode *inode);

#endif
