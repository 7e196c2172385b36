/*
 * Files whose text is made when they are read from their beginning, as in /proc and /sys.
 *
 * Runs in: the personality, host tests.
 */
#include "pseudo.h"

#include <stdlib.h>

#define STORE_MAX PAGE_SIZE /* bytes of one write(2) */

struct text_file {
	struct text text;
	bool made;
};

static int open_text(struct vfs_task *t, struct inode *inode, struct file *file)
{
	(void)t;
	(void)inode;
	file->private = calloc(1, sizeof(struct text_file));
	return file->private ? 0 : -ENOMEM;
}

static int make_text(struct vfs_task *t, struct file *file)
{
	const struct pseudo_inode *pi = pseudo_inode(file->inode);
	struct text_file *tf = file->private;
	struct text text = {0};
	int err = pseudo_show(pi, t, &text);

	if (!err)
		err = text_error(&text);
	if (err) {
		text_free(&text);
		return err;
	}
	text_free(&tf->text);
	tf->text = text;
	tf->made = true;
	return 0;
}

s64 pseudo_give(const struct text *text, struct uio *uio, s64 *pos)
{
	size_t want, got;

	if ((u64)*pos >= text->len)
		return 0;
	want = MIN(text->len - (u64)*pos, uio->left);
	got = uio_put(uio, text->at + *pos, want);
	*pos += (s64)got;
	return got || !want ? (s64)got : -EFAULT;
}

static s64 read_text(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	struct text_file *tf = file->private;
	int err = 0;

	if (*pos == 0 || !tf->made)
		err = make_text(t, file);
	return err ? err : pseudo_give(&tf->text, uio, pos);
}

static s64 write_text(struct vfs_task *t, struct file *file, struct uio *uio, s64 *pos)
{
	const struct pseudo_inode *pi = pseudo_inode(file->inode);
	const struct proc_entry *entry = pi->node->entry;
	size_t len = uio->left;
	char *buf;
	s64 n;

	if (!entry->store)
		return -EIO;
	if (len > STORE_MAX)
		return -EINVAL;
	buf = malloc(len + 1);
	if (!buf)
		return -ENOMEM;
	if (uio_take(uio, buf, len) < len) {
		n = -EFAULT;
	} else {
		buf[len] = 0;
		n = pseudo_store(pi, t, buf, len);
	}
	free(buf);
	if (!n) {
		*pos += (s64)len;
		n = (s64)len;
	}
	return n;
}

static void release_text(struct file *file)
{
	struct text_file *tf = file->private;

	text_free(&tf->text);
	free(tf);
}

const struct file_ops pseudo_text_ops = {
	.open = open_text,
	.read = read_text,
	.write = write_text,
	.seek = pseudo_seek,
	.release = release_text,
};
