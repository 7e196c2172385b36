/*
 * Images: what some namespaces are at one moment, to be the same elsewhere.
 *
 *   namespaces here  -- mounts_image_take ->    image -- mounts_image_encode -> bytes
 *   namespaces there <- mounts_image_apply --   image <- mounts_image_decode -- bytes
 *
 * An image names file systems, directories, owners and sources by this instance's pointers, of
 * which it holds references; encoding and decoding turn them into what another instance knows,
 * which may take time: the tree may change meanwhile, an image does not. Taking, applying and
 * freeing never wait.
 *
 * Applying an image to namespaces that are there already makes them what it says: mounts that both
 * have stay the same objects, with their users. So an image is a snapshot and a change in one.
 *
 * Runs in: the personality, host tests.
 */
#ifndef MOUNTS_IMAGE_H
#define MOUNTS_IMAGE_H

#include <mounts/mounts.h>

struct mounts_image;

/* What an image names, as bytes. */
enum ref_kind { REF_SUPERBLOCK, REF_DIR, REF_SOURCE, REF_OWNER };

#define REF_BYTES_MAX 4608u /* of one */

struct mounts_refs {
	/**
	 * Write what @thing is called elsewhere, at most @room bytes; may wait.
	 *
	 * @in  the file system of a directory; else NULL
	 * Returns bytes; -ENOSPC (too little room, however much that is), or another error.
	 */
	s64 (*put)(void *ctx, enum ref_kind kind, void *thing, struct superblock *in, void *out,
		   size_t room);
	/* Find what @from calls by these bytes, with a reference; may wait. Bytes, or an error. */
	s64 (*get)(void *ctx, enum ref_kind kind, struct superblock *in, const void *from,
		   size_t bytes, void **thing);
	/* Give back a reference of get(). */
	void (*drop)(void *ctx, enum ref_kind kind, void *thing);
	void *ctx;
};

/** An image of the @n namespaces at @list, all of one instance. 0 or -ENOMEM. */
int mounts_image_take(struct mount_ns *const *list, u32 n, struct mounts_image **out);
void mounts_image_free(struct mounts_image *image);

/** How many namespaces there are, and the identifier of the @i-th: nonzero, all different. */
u32 mounts_image_count(const struct mounts_image *image);
u64 mounts_image_id(const struct mounts_image *image, u32 i);

/** Applying leaves the @i-th namespace, and what it has, alone. */
void mounts_image_skip(struct mounts_image *image, u32 i);

/**
 * One image of all namespaces of the @n at @list that are not skipped, each of which is in one of
 * them; they are skipped there then. Of groups, what is said first is true. 0 or -ENOMEM.
 */
int mounts_image_merge(struct mounts_image *const *list, u32 n, struct mounts_image **out);

/**
 * As bytes, in memory of the instance's env->alloc(): *@out of *@len, allocated *@room long.
 * 0, -ENOMEM, what refs->put() says.
 */
int mounts_image_encode(const struct mounts_image *image, const struct mounts_refs *refs, u8 **out,
			size_t *len, size_t *room);
void mounts_bytes_free(struct mounts *all, u8 *at, size_t room);
/** From bytes of another instance. 0, -EBADMSG, -ENOMEM, what refs->get() says. */
int mounts_image_decode(struct mounts *all, const struct mounts_refs *refs, const void *in,
			size_t bytes, struct mounts_image **out);

#define IMAGE_HOME     0x01u /* this core is the home of these from now on: changes are made here */
#define IMAGE_RENUMBER 0x02u /* and gives small numbers of its own */

/**
 * Make namespaces what @image says; without IMAGE_HOME, they are replicas.
 *
 * @list  of mounts_image_count(): the namespace that is to be the @i-th of the image, of the same
 *        identifier; NULL: none yet, then it is made and put there, with one reference
 * Returns 0, -ENOMEM, -EBADMSG (a mount is in two places); then nothing has changed.
 */
int mounts_image_apply(struct mounts *all, struct mounts_image *image, struct mount_ns **list,
		       u32 how);

/**
 * @ns, detached, gets an identifier by which others know it, if it has none. It is in no list for
 * all that. Others have theirs.
 */
u64 mounts_ns_identify(struct mount_ns *ns);

/** Does anything that happens in @ns reach other namespaces, or the other way? */
bool mounts_ns_spreads(const struct mount_ns *ns);

/**
 * All namespaces that what happens in @ns may reach, or that may reach it, by any number of steps:
 * those whose home is one. @ns is the first.
 *
 * Returns how many; at most @room are put to @list: if there are more, call again with more room.
 */
u32 mounts_ns_connected(struct mount_ns *ns, struct mount_ns **list, u32 room);

#endif
