/*
 * Names: services register, and are found from any core.
 *
 * All names are in one well-known directory, a replicated object that core 0 is born with and
 * that its heir makes anew, empty, if nobody else had a replica. A core that registers or looks
 * something up gets a replica; from then on its lookups are local. A name is unregistered when
 * the core that registered it dies.
 */
#ifndef AGREE_NAMES_H
#define AGREE_NAMES_H

#include <agree/agree.h>

#define NAME_MAX_BYTES 48u   /* with the final NUL */
#define NAMES_MAX      1024u /* in the directory */

extern const struct agree_type names_type; /* type_ctx: struct agree_memory */

/* What a name stands for: the meaning is its owner's. */
struct name_value {
	u64 word[2];
};

struct names {
	struct agree *agree;
	struct names_request *requests; /* under way */
	struct agree_wellknown root;
};

/* Begin. @type: the number of names_type in the configuration. 0, -EINVAL, -ENOMEM. */
int names_init(struct names *n, struct agree *a, u32 type);

/* Forget the requests under way; after agree_fini(). */
void names_fini(struct names *n);

/**
 * Register @name, with this core as its owner.
 *
 * Result: 0, -EEXIST (it is taken), -ENOSPC (the directory is full), -ENOMEM.
 * Refused: -EINVAL (empty, or too long), -ENOMEM, -EAGAIN.
 */
int names_register(struct names *n, const char *name, const struct name_value *v, u64 token);

/* Unregister @name. Result: 0, -ENOENT, -EPERM (another core registered it). */
int names_unregister(struct names *n, const char *name, u64 token);

/**
 * What does @name stand for?
 *
 * Returns 0 with the answer in @v and @owner; -ENOENT: it is not registered; -EINPROGRESS: there
 * is no replica of the directory here yet, one has been asked for, and the result with @token,
 * 0 or a negative errno value, tells when to look again; -ENOMEM, -EAGAIN.
 */
int names_lookup(struct names *n, const char *name, struct name_value *v, u32 *owner, u64 token);

#endif
