/*
 * What a thread that moves to another core takes along of namespaces: those it is in, of every
 * kind, and where it is in the tree of files.
 *
 * The namespaces themselves stay at their homes; the new core gets replicas of those it does not
 * have (services/vfs/far_ns.h), which is when messages are sent. A second process that comes to
 * the same namespaces sends none.
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_FARNS_H
#define LINUX_FARNS_H

#include "process.h"

/**
 * Say what namespaces @t is in, its root, working directory and umask, for core @core.
 *
 * The user namespace of its credentials is among them; the rest of the credentials is not.
 * Returns bytes put to @out, at most @room; -ENOSPC (the caller tries again with more room; two
 * places of FAR_PLACE_MAX and 1 KiB always do), -ENOMEM, -ENAMETOOLONG.
 */
s64 namespaces_export(struct thread *t, u32 core, void *out, size_t room);

/**
 * @t, new on this core, is in what another core's namespaces_export() said.
 *
 * @t     has no fs context (t->vfs.fs is NULL), is in the first namespaces (t->ns[] and
 *        t->cred.user_ns are NULL); its credentials are those it will have
 * @like  a thread of the same process that has come already, with which it shares the fs context
 *        if it did before; NULL: none
 * Returns how many bytes of @in it took; -EBADMSG, -ESTALE (root or working directory is gone),
 * -EHOSTDOWN, -ENOMEM; after an error @t has what it had. May wait for other cores.
 */
s64 namespaces_import(struct thread *t, struct thread *like, const void *in, size_t bytes);

/** Share namespaces with other cores. 0 or -ENOMEM. */
struct shard_net;
int farns_init(struct vfs *vfs, struct shard_net *net);

#endif
