/*
 * Open files of other cores: what services/vfs/far_file.h needs of the personality.
 *
 * What another core's process does with a file of this core is done here by a stub (afar.h), whose
 * memory is that process's.
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_FARFILES_H
#define LINUX_FARFILES_H

#include "process.h"

struct shard_net;
struct tty;

/*
 * By env.c, about what is on this core: has group @pgrp a process of session @sid; what controls a
 * session; and the signals of a file that is ready.
 */
bool env_group_in_session(u32 pgrp, u32 sid);
void env_set_tty(u32 sid, struct tty *tty);
void env_signal_owner(const struct vfs_owner *owner, int signo, int fd, int code, u32 events);

/** The same of other cores. The first may wait. */
bool farfiles_group_in_session(u32 pgrp, u32 sid);
bool farfiles_owner_exists(const struct vfs_owner *owner);
void farfiles_signal_owner(const struct vfs_owner *owner, int signo, int fd, int code, u32 events);

/** Let @vfs know the other cores, before it has any process. 0 or -ENOMEM. */
int farfiles_init(struct vfs *vfs, struct shard_net *net);

/** Files that another core described and that are made anew here: signalfd.c, pidfd.c. */
int signalfd_remake(struct vfs *vfs, const struct file_desc *desc, struct file **file);
int pidfd_remake(struct vfs *vfs, const struct file_desc *desc, struct file **file);

/** @tty (NULL: nothing) controls session @sid: all cores are told but this one. Does not wait. */
void farfiles_tell_session(u32 sid, const struct tty *tty);

/** Signal @signo of the system to the thread that @stub stands for. Does not wait. */
void farfiles_signal(const struct thread *stub, int signo);

/** Does the thread that @stub stands for ignore or block @signo? */
bool farfiles_ignores(const struct thread *stub, int signo);

#endif
