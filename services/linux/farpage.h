/*
 * Pages that are lent between cores: the same memory, seen by several.
 *
 * A core lends pages of its own; the chunk (chunk.h) that one is part of is exported when the first
 * of it is lent, and from then on stays. A core that borrows one imports the chunk and maps it,
 * once. There such a page is a struct page like any other, but for PAGE_FAR in its flags.
 *
 *   home: page_lend() -> name -> borrower: page_borrow() -> far page -> last ram_put(): given back
 *
 * The home holds one reference of the page for each loan, and counts loans by page and core: when a
 * core dies, its loans are over. A far page that is lent on to a third core is that core's loan
 * from the home; and one that comes home is there what it was.
 *
 * Whether a page may be written is not a matter of this file. Returns are collected and sent late:
 * nobody waits for them.
 *
 * Runs in: the personality's domain.
 */
#ifndef LINUX_FARPAGE_H
#define LINUX_FARPAGE_H

#include "ram.h"

#include <skerry/shard/memory.h>

struct shard_net;

#define PAGE_FAR 1u /* in struct page's flags: it is another core's memory */

static inline bool page_is_far(const struct page *page)
{
	return page->flags & PAGE_FAR;
}

/**
 * Lend @page to @core: sets @name, which is to be sent there. Waits only if @page is itself another
 * core's.
 *
 * The caller keeps its own reference until @core has answered.
 * Returns 0, -ENOMEM, -EHOSTDOWN (the page's home is dead); then nothing is lent.
 */
int page_lend(struct page *page, u32 core, struct page_name *name);

/** The same for @n pages; none is lent after an error. */
int pages_lend(struct page *const *pages, u32 n, u32 core, struct page_name *names);

/** Names that were made for @core and will not be used after all. Does not wait. */
void pages_unlend(const struct page_name *names, u32 n, u32 core);

/**
 * The pages that have been lent to this core, with a reference each for the caller. May wait.
 *
 * Names are used up in any case: what cannot be had is given back.
 * Returns 0, -ENOMEM, -EHOSTDOWN, -EBADMSG; then none.
 */
int pages_borrow(const struct page_name *names, u32 n, struct page **out);
int page_borrow(const struct page_name *name, struct page **out);

/** By ram.c: the last reference of a far page is gone. */
void farpage_free(struct page *page);

/** Where a page's home is: the core and a name that is the same everywhere. */
void page_identity(const struct page *page, struct page_name *name);

/** The page of this core that a name says, without a reference; NULL: there is none in use. */
struct page *page_of_name(const struct page_name *name);

/** Pages of this core that others have borrowed, and those of others that are here. */
u64 farpage_lent(void);
u64 farpage_borrowed(void);

/** Serve other cores. 0 or -ENOMEM. */
int farpage_init(struct shard_net *net);

#endif
