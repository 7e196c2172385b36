/*
 * Files in memory without a name, and seals: promises that a file will not change.
 *
 * Runs in: the personality, host tests. Source: memfd_create(2), fcntl(2) "File Sealing".
 */
#include "internal.h"
#include "tmpfs.h"

#include <stdio.h>
#include <string.h>

#define MFD_CLOEXEC       0x01u
#define MFD_ALLOW_SEALING 0x02u
#define MFD_HUGETLB       0x04u
#define MFD_NOEXEC_SEAL   0x08u
#define MFD_EXEC          0x10u
#define NAME_MAX_BYTES    249u /* with "memfd:", what a name may be */

int vfs_memfd_create(struct vfs_task *t, const char *name, u32 flags)
{
	struct new_node node = {.mode = S_IFREG | 0777, .uid = t->cred.fsuid, .gid = t->cred.fsgid};
	struct vfs *vfs = t->vfs;
	struct path path;
	struct inode *inode;
	struct file *file;
	char shown[NAME_MAX_BYTES + 8];
	int err;

	if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC) ||
	    (flags & MFD_NOEXEC_SEAL && flags & MFD_EXEC) || strlen(name) > NAME_MAX_BYTES)
		return flags & MFD_HUGETLB ? -ENOMEM : -EINVAL; /* no pool of huge pages */
	if (flags & MFD_NOEXEC_SEAL)
		node.mode &= ~0111u;
	err = tmpfs_make_inode(vfs->shm->root->sb, &node, &inode);
	if (err)
		return err;
	inode->nlink = 0;
	inode->seals = flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL) ? 0 : SEAL_SEAL;
	if (flags & MFD_NOEXEC_SEAL)
		inode->seals |= SEAL_EXEC;
	snprintf(shown, sizeof(shown), "memfd:%s", name);
	path.dentry = dentry_new_anon(inode->sb, inode, shown);
	if (!path.dentry) {
		inode_put(inode);
		return -ENOMEM;
	}
	path.mnt = mount_get(vfs->shm);
	err = file_open_path(t, &path, O_RDWR | VFS_O_LARGEFILE, FILE_READ | FILE_WRITE, &file);
	path_put(&path);
	return err ? err : fd_add(t, file, flags & MFD_CLOEXEC);
}

/* ---- seals ---- */

bool inode_has_seals(const struct inode *inode)
{
	return inode_is(inode, S_IFREG) && inode->fops == &tmpfs_file_ops;
}

static int add(struct vfs *vfs, struct file *file, u32 seals)
{
	struct inode *inode = file->inode;

	if (!(file->mode & FILE_WRITE))
		return -EPERM;
	if (seals & ~SEALS_KNOWN)
		return -EINVAL;
	if (inode->seals & SEAL_SEAL)
		return -EPERM;
	if (seals & SEAL_WRITE && !(inode->seals & SEAL_WRITE) && inode->mapping &&
	    vfs->env->mapped_writable && vfs->env->mapped_writable(vfs->arg, inode))
		return -EBUSY;
	/* What can be executed must not change under whoever executes it. */
	if (seals & SEAL_EXEC && inode->mode & 0111)
		seals |= SEAL_SHRINK | SEAL_GROW | SEAL_WRITE | SEAL_FUTURE_WRITE;
	inode->seals |= seals;
	if (inode->shared)
		far_share_tell(inode);
	return 0;
}

s64 file_seals(struct vfs_task *t, struct file *file, int cmd, u64 arg)
{
	if (!inode_has_seals(file->inode))
		return -EINVAL;
	return cmd == VFS_F_GET_SEALS ? (s64)file->inode->seals : add(t->vfs, file, (u32)arg);
}

int seals_check_size(const struct inode *inode, u64 size)
{
	if ((size < inode->size && inode->seals & SEAL_SHRINK) ||
	    (size > inode->size && inode->seals & SEAL_GROW))
		return -EPERM;
	return 0;
}

int seals_check_write(const struct inode *inode, u64 end)
{
	if (inode->seals & (SEAL_WRITE | SEAL_FUTURE_WRITE))
		return -EPERM;
	return end > inode->size && inode->seals & SEAL_GROW ? -EPERM : 0;
}
