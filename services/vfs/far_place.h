/*
 * Places in the tree as another core can find them: a mount by its identifier and namespace, and a
 * directory or file of its file system by what services/vfs/far_names.h says.
 *
 * Bringing a place in brings its namespace, too: this core gets a replica (far_ns.h) and keeps it
 * as long as anybody here is in it.
 *
 * Runs in: the personality, host tests.
 */
#ifndef VFS_FAR_PLACE_H
#define VFS_FAR_PLACE_H

#include <vfs/file.h>

#define FAR_PLACE_MAX 4608u /* bytes of one place: names to VFS_PATH_MAX and what goes before */

/**
 * Say where @path is, for core @core.
 *
 * Returns bytes put to @out, at most @room; -ENOSPC: too little room; -ENOMEM, -ENAMETOOLONG. May
 * wait for other cores only if something of the place has never been shared before.
 */
s64 far_place_export(struct vfs *vfs, u32 core, const struct path *path, void *out, size_t room);

/**
 * Find a place that another core has told of; with references, to be given back by path_put().
 *
 * Returns how many bytes of @in it took; -EBADMSG (that is no place), -ESTALE (it is gone),
 * -EHOSTDOWN, -ENOMEM. May wait for other cores.
 */
s64 far_place_import(struct vfs *vfs, const void *in, size_t bytes, struct path *out);

#endif
