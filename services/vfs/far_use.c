/*
 * Who writes a file and who runs it, over cores. inode->writers at the home counts each other core
 * once: 1 (somebody there has it open for writing), -1 (somebody runs it), or not at all.
 *
 * A core that ran a file stays counted when nobody does any more, so that running it again costs
 * no message; whoever wants to write has the home ask for that (FAR_UNUSED).
 *
 * Runs in: the personality, host tests.
 */
#include "far_internal.h"

#include <string.h>

/* --- Here --- */

static int far_use_there(struct inode *inode, s32 uses)
{
	struct far_inode *f = far_inode(inode);
	struct far_use args = {.file = far_node_of(inode), .uses = uses};
	s64 err;

	if (inode->writers * uses < 0)
		return -ETXTBSY;
	if (f->uses == uses)
		return 0;
	if (!uses) {
		f->uses = 0;
		shard_tell(far_net(inode), far_home_of(inode->ino), FAR_USE, &args, sizeof(args));
		return 0;
	}
	err = far_node_ask(inode, FAR_USE, &args, sizeof(args), NULL, 0, NULL);
	if (!err)
		f->uses = uses;
	return far_error(err);
}

void far_use_end(struct inode *inode)
{
	if (far_inode(inode)->uses)
		far_use_there(inode, 0);
}

s64 far_serve_unused(struct shard_request *r)
{
	const struct far_node *a = shard_args(r, sizeof(*a));
	const struct far_part *part = a ? far_part_find(r->arg, a->sb) : NULL;
	struct far_known *known = part ? far_known_find(part, a->ino) : NULL;
	struct far_inode *f;

	if (!known || far_home_of(known->ino) != r->core)
		return a ? 1 : -EBADMSG;
	f = container_of(known, struct far_inode, known);
	if (f->uses >= 0 || f->inode.writers)
		return f->uses == 0;
	f->uses = 0;
	return 1;
}

/* --- At the home --- */

static struct far_holder *holder_of(struct far_share *share, u32 core)
{
	for (u32 i = 0; i < share->nholders; i++) {
		if (share->holders[i].core == core)
			return &share->holders[i];
	}
	return NULL;
}

/* Ask the cores that run @inode whether they still do. */
static void ask_who_runs(struct inode *inode, u32 but)
{
	struct far_share *share = far_share_find(inode);
	struct far_node args = far_node_of(inode);
	u64 cores[FAR_CORES / 64] = {0};

	for (u32 i = 0; i < share->nholders; i++) {
		if (share->holders[i].uses < 0 && share->holders[i].core != but)
			bit_set(cores, share->holders[i].core);
	}
	for (u32 c = bit_next(cores, 0); c < FAR_CORES; c = bit_next(cores, c + 1)) {
		s64 unused = shard_call(far_net(inode), c, FAR_UNUSED, &args, sizeof(args), NULL, 0,
					NULL);
		struct far_holder *holder = holder_of(share, c);

		if (unused == 1 && holder && holder->uses < 0) {
			holder->uses = 0;
			inode->writers++;
		}
	}
}

int far_use(struct inode *inode, s32 uses)
{
	if (inode->far)
		return far_use_there(inode, uses);
	if (inode->writers < 0 && inode->shared)
		ask_who_runs(inode, inode->sb->vfs->far->core);
	return inode->writers < 0 ? -ETXTBSY : 0;
}

static s64 count(struct inode *inode, struct far_holder *holder, s32 uses)
{
	s32 others = inode->writers - holder->uses;

	if (others * uses < 0)
		return -ETXTBSY;
	inode->writers = others + uses;
	holder->uses = uses;
	return 0;
}

s64 far_serve_use(struct shard_request *r)
{
	const struct far_use *a = shard_args(r, sizeof(*a));
	struct inode *inode;
	struct far_holder *holder;
	s64 err = -ESTALE;

	if (!a || a->uses < -1 || a->uses > 1)
		return -EBADMSG;
	inode = vfs_own_inode(r->arg, a->file.sb, a->file.ino);
	if (!inode)
		return -ESTALE;
	if (inode->shared && a->uses > 0 && inode->writers < 0)
		ask_who_runs(inode, r->core);
	holder = inode->shared ? holder_of(far_share_find(inode), r->core) : NULL;
	if (holder)
		err = count(inode, holder, a->uses);
	inode_put(inode);
	return err;
}
