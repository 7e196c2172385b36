/*
 * open(2), openat2(2): flags are checked, the name is walked, the file is made if asked for, then
 * permission to open is checked and the file opened.
 *
 * Source: open(2), openat2(2).
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <stdio.h>

#define KNOWN_FLAGS                                                                                \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | VFS_O_SYNC |  \
	 O_DSYNC | VFS_O_ASYNC | O_DIRECT | VFS_O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW |           \
	 O_NOATIME | O_CLOEXEC | O_PATH | VFS_O_TMPFILE)
#define KNOWN_RESOLVE                                                                              \
	(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH |         \
	 RESOLVE_IN_ROOT | RESOLVE_CACHED)
/* What F_GETFL does not show. */
#define TRANSIENT_FLAGS (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)

/* An open(2) that has been checked. */
struct request {
	u32 flags; /* O_* */
	u32 mode;  /* of a new file, with type */
	u32 may;   /* MAY_* to be had */
	u32 walk;  /* WALK_* */
	u64 resolve;
	bool created;
};

static int check_how(const struct vfs_open_how *how, struct request *r)
{
	static const u32 access[4] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE,
				      MAY_READ | MAY_WRITE};
	u64 flags = how->flags;
	bool makes = flags & (O_CREAT | VFS_O_TMPFILE);

	if ((flags & ~(u64)KNOWN_FLAGS) || (how->resolve & ~(u64)KNOWN_RESOLVE))
		return -EINVAL;
	if ((how->resolve & RESOLVE_BENEATH) && (how->resolve & RESOLVE_IN_ROOT))
		return -EINVAL;
	if (makes ? how->mode & ~07777ul : how->mode)
		return -EINVAL;
	if ((flags & (O_DIRECTORY | O_CREAT)) == (O_DIRECTORY | O_CREAT))
		return -EINVAL;
	if (flags & VFS_O_TMPFILE) {
		if (!(flags & O_DIRECTORY) || !(access[flags & O_ACCMODE] & MAY_WRITE))
			return -EINVAL;
	}
	if ((flags & O_PATH) && (flags & ~(u64)(O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)))
		return -EINVAL;
	if ((how->resolve & RESOLVE_CACHED) && (flags & (O_TRUNC | O_CREAT | VFS_O_TMPFILE)))
		return -EAGAIN;
	*r = (struct request){.flags = (u32)flags,
			      .mode = S_IFREG | (u32)how->mode,
			      .resolve = how->resolve,
			      .may = access[flags & O_ACCMODE]};
	if (flags & O_TRUNC)
		r->may |= MAY_WRITE;
	if (flags & O_DIRECTORY)
		r->walk |= WALK_DIRECTORY;
	if (!(flags & O_NOFOLLOW) && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL))
		r->walk |= WALK_FOLLOW;
	return 0;
}

/* --- What is at the end of the walk --- */

static int check_type(const struct path *path, u32 may)
{
	u32 flags = path->mnt->flags;
	bool nodev = (flags & VFS_MNT_NODEV) || path->mnt->sb->nodev;

	switch (path->dentry->inode->mode & S_IFMT) {
	case S_IFLNK:
		return -ELOOP;
	case S_IFDIR:
		if (may & MAY_WRITE)
			return -EISDIR;
		return may & MAY_EXEC ? -EACCES : 0;
	case S_IFBLK:
	case S_IFCHR:
		if (nodev)
			return -EACCES;
		return may & MAY_EXEC ? -EACCES : 0;
	case S_IFIFO:
	case S_IFSOCK:
		return may & MAY_EXEC ? -EACCES : 0;
	default:
		return (may & MAY_EXEC) && (flags & VFS_MNT_NOEXEC) ? -EACCES : 0;
	}
}

static int check_open(struct vfs_task *t, const struct path *path, const struct request *r)
{
	struct inode *inode = path->dentry->inode;
	u32 may = r->created ? 0 : r->may;
	u32 type = inode->mode & S_IFMT;
	int err = check_type(path, may);

	if (err)
		return err;
	if ((may & MAY_WRITE) && mount_is_readonly(path->mnt) &&
	    (type == S_IFREG || type == S_IFDIR))
		return -EROFS;
	err = inode_permission(t, inode, may);
	if (err)
		return err;
	if ((inode->flags & VFS_FL_APPEND) &&
	    ((r->flags & O_TRUNC) || ((may & MAY_WRITE) && !(r->flags & O_APPEND))))
		return -EPERM;
	if ((r->flags & O_NOATIME) && !inode_is_owner(t, inode))
		return -EPERM;
	return 0;
}

static const struct file_ops *ops_of(const struct inode *inode)
{
	switch (inode->mode & S_IFMT) {
	case S_IFCHR: /* unless another core has it */
		return inode->fops ? inode->fops : &chrdev_open_ops;
	case S_IFIFO:
		return inode->fops ? inode->fops : &fifo_ops;
	case S_IFBLK:
	case S_IFSOCK:
		return NULL;
	default:
		return inode->fops;
	}
}

static int count_writer(struct file *file)
{
	int err;

	if (!inode_is(file->inode, S_IFREG) || !(file->mode & FILE_WRITE))
		return 0;
	err = inode_add_writer(file->inode);
	if (err)
		return err;
	file->path.mnt->writers++;
	file->path.mnt->sb->writers++;
	file->mode |= FILE_COUNTED;
	return 0;
}

int file_open_path(struct vfs_task *t, const struct path *path, u32 flags, u32 mode,
		   struct file **out)
{
	struct inode *inode = path->dentry->inode;
	struct file *file;
	int err = file_alloc(t->vfs, &file);

	if (err)
		return err;
	file->path = *path;
	path_get(path);
	file->inode = inode;
	file->flags = flags;
	file->mode = mode;
	if (!(mode & FILE_PATH)) {
		const struct file_ops *ops = ops_of(inode);

		err = ops ? count_writer(file) : -ENXIO;
		if (!err && (flags & O_DIRECT) && !inode->ops->page && !inode_is(inode, S_IFIFO))
			err = -EINVAL;
		if (!err)
			file->ops = ops;
		if (!err && ops->open)
			err = ops->open(t, inode, file);
		if (err)
			file->ops = &no_ops; /* what was not opened is not released */
	}
	file->flags &= ~(u32)TRANSIENT_FLAGS;
	if (err)
		file_put(file);
	else
		*out = file;
	return err;
}

static u32 file_mode_of(const struct request *r)
{
	static const u32 modes[4] = {FILE_READ, FILE_WRITE, FILE_READ | FILE_WRITE, 0};

	return r->flags & O_PATH ? FILE_PATH
				 : modes[r->flags & O_ACCMODE] | (r->created ? FILE_CREATED : 0);
}

static int open_place(struct vfs_task *t, const struct path *path, const struct request *r,
		      struct file **out)
{
	bool truncate =
		(r->flags & O_TRUNC) && !r->created && inode_is(path->dentry->inode, S_IFREG);
	int err = r->flags & O_PATH ? 0 : check_open(t, path, r);

	if (!err)
		err = file_open_path(t, path, r->flags, file_mode_of(r), out);
	if (err || !truncate)
		return err;
	err = path->dentry->inode->writers < 0 ? far_use(path->dentry->inode, 1) : 0;
	if (!err)
		err = inode_truncate(t, path->dentry->inode, 0);
	if (err)
		file_put(*out);
	return err;
}

/* --- Making --- */

/* Make a regular file at @dentry, which is negative and below the walk's place. */
static int make_file(struct walk *w, struct request *r, struct dentry *dentry)
{
	struct inode *dir = w->path.dentry->inode, *inode;
	struct new_node node;
	int err;

	if (mount_is_readonly(w->path.mnt))
		return -EROFS;
	err = may_create(w->t, dir);
	if (err)
		return err;
	if (!dir->ops->make)
		return -EACCES;
	new_node_fill(w->t, dir, r->mode & ~w->t->fs->umask, &node);
	err = dir->ops->make(w->t, dir, w->last, w->last_len, &node, &inode);
	if (err)
		return err;
	dentry_instantiate(dentry, inode);
	if (dentry->inode != inode)
		return -EEXIST; /* somebody made and removed it meanwhile: look again */
	r->created = true;
	return 0;
}

#define MAKE_TRIES 8u

/* The last step of an open with O_CREAT. 1: it was a link, go on. */
static int open_or_make(struct walk *w, struct request *r)
{
	struct dentry *dentry;
	u32 tries = 0;
	int err;

	if (w->type != LAST_NORM)
		return walk_over_last(w);
	if (walk_trailing_slash(w))
		return -EISDIR;
	do {
		err = walk_look_up(w, &dentry);
		if (err)
			return err;
		if (!dentry->inode)
			err = make_file(w, r, dentry);
		if (err)
			dentry_put(dentry);
		/* Another core was faster: then it is opened. */
	} while (err == -EEXIST && !(r->flags & O_EXCL) && tries++ < MAKE_TRIES);
	if (err)
		return err;
	return walk_into(w, dentry, w->flags & WALK_FOLLOW);
}

static int walk_and_make(struct walk *w, struct request *r)
{
	int err;

	do {
		err = walk_to_parent(w);
		if (!err)
			err = open_or_make(w, r);
	} while (err == 1);
	if (!err && (r->flags & O_EXCL) && !r->created)
		err = -EEXIST;
	if (!err && inode_is(w->path.dentry->inode, S_IFDIR))
		err = -EISDIR;
	return err;
}

/* O_TMPFILE: a file without a name below @dir. */
static int open_nameless(struct vfs_task *t, const struct path *dir, struct request *r,
			 struct file **out)
{
	struct inode *parent = dir->dentry->inode, *inode;
	struct new_node node;
	struct path path;
	char name[24];
	int err;

	if (mount_is_readonly(dir->mnt))
		return -EROFS;
	err = inode_permission(t, parent, MAY_WRITE | MAY_EXEC);
	if (err)
		return err;
	if (!parent->ops->tmpfile)
		return -EOPNOTSUPP;
	new_node_fill(t, parent, r->mode & ~t->fs->umask, &node);
	err = parent->ops->tmpfile(t, parent, &node, &inode);
	if (err)
		return err;
	snprintf(name, sizeof(name), "#%lu", inode->ino);
	path = (struct path){dir->mnt, dentry_new_anon(inode->sb, inode, name)};
	if (!path.dentry) {
		inode_put(inode);
		return -ENOMEM;
	}
	inode->linkable = !(r->flags & O_EXCL);
	r->created = true;
	err = open_place(t, &path, r, out);
	dentry_put(path.dentry);
	return err;
}

static int open_request(struct vfs_task *t, int dirfd, const char *path, struct request *r,
			struct file **out)
{
	struct walk w;
	int err = walk_begin(&w, t, dirfd, path, r->walk, r->resolve);

	if (err)
		return err;
	err = r->flags & O_CREAT ? walk_and_make(&w, r) : walk_all(&w);
	if (!err && (r->flags & VFS_O_TMPFILE))
		err = open_nameless(t, &w.path, r, out);
	else if (!err)
		err = open_place(t, &w.path, r, out);
	walk_end(&w);
	return err;
}

/* --- Calls --- */

int vfs_openat2(struct vfs_task *t, int dirfd, const char *path, const struct vfs_open_how *how)
{
	struct request r;
	struct file *file;
	int err = check_how(how, &r), fd;

	if (err)
		return err;
	fd = fd_reserve(t, 0, how->flags & O_CLOEXEC);
	if (fd < 0)
		return fd;
	err = open_request(t, dirfd, path, &r, &file);
	if (err) {
		fd_unreserve(t, fd);
		return err;
	}
	fd_install(t, fd, file);
	return fd;
}

/* What open(2) makes of flags that openat2(2) would refuse. */
static struct vfs_open_how how_of(int flags, u32 mode)
{
	struct vfs_open_how how = {.flags = (u32)flags & KNOWN_FLAGS};

	if (how.flags & O_PATH)
		how.flags &= O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC;
	else
		how.flags |= VFS_O_LARGEFILE;
	if (how.flags & (O_CREAT | VFS_O_TMPFILE))
		how.mode = mode & 07777;
	return how;
}

int vfs_openat(struct vfs_task *t, int dirfd, const char *path, int flags, u32 mode)
{
	struct vfs_open_how how = how_of(flags, mode);

	return vfs_openat2(t, dirfd, path, &how);
}

int vfs_open_file(struct vfs_task *t, int dirfd, const char *path, int flags, u32 mode,
		  struct file **file)
{
	struct vfs_open_how how = how_of(flags, mode);
	struct request r;
	int err = check_how(&how, &r);

	return err ? err : open_request(t, dirfd, path, &r, file);
}

int vfs_open_place(struct vfs_task *t, const struct path *path, int flags)
{
	struct vfs_open_how how = how_of(flags & ~(O_CREAT | VFS_O_TMPFILE), 0);
	struct request r;
	struct file *file;
	int err = check_how(&how, &r), fd;

	if (!err && (flags & O_DIRECTORY) && !inode_is(path->dentry->inode, S_IFDIR))
		err = -ENOTDIR;
	if (err)
		return err;
	fd = fd_reserve(t, 0, flags & O_CLOEXEC);
	if (fd < 0)
		return fd;
	err = open_place(t, path, &r, &file);
	if (err) {
		fd_unreserve(t, fd);
		return err;
	}
	fd_install(t, fd, file);
	return fd;
}

int vfs_open_exec(struct vfs_task *t, int dirfd, const char *path, int flags, struct file **out)
{
	struct request r = {.flags = O_RDONLY | VFS_O_LARGEFILE, .may = MAY_EXEC};
	struct file *file;
	int err;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	r.walk = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	r.walk |= flags & AT_EMPTY_PATH ? WALK_EMPTY_PATH : 0;
	err = open_request(t, dirfd, path, &r, &file);
	if (err)
		return err;
	err = inode_is(file->inode, S_IFREG) ? inode_deny_writing(file->inode) : -EACCES;
	if (err) {
		file_put(file);
		return err;
	}
	file->mode |= FILE_EXEC;
	*out = file;
	return 0;
}

void file_put_exec(struct file *file)
{
	if (file->mode & FILE_EXEC)
		file->inode->writers++;
	file->mode &= ~FILE_EXEC;
	file_put(file);
}
