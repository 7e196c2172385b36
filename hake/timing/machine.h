/*
 * Machine descriptions: what things cost on a modelled machine.
 *
 * A file of lines "key = value" in machines/; "#" begins a comment, where every number has its
 * source. All keys below must be given, none twice. Times are in cycles of the modelled core.
 */
#ifndef TIMING_MACHINE_H
#define TIMING_MACHINE_H

#include <stddef.h>
#include <stdint.h>

/* X(key): all are whole numbers, but cycles_per_kinsn, which is per 1,000 instructions. */
#define MACHINE_KEYS(X)                                                                            \
	X(mhz)              /* of a core */                                                        \
	X(cycles_per_kinsn) /* for 1,000 instructions that hit their L1 caches */                  \
	X(l1_kib)           /* data, private */                                                    \
	X(l1_ways)                                                                                 \
	X(l2_kib) /* private */                                                                    \
	X(l2_ways)                                                                                 \
	X(llc_kib) /* one for a socket */                                                          \
	X(llc_ways)                                                                                \
	X(l2_hit)       /* added to an access that misses L1 */                                    \
	X(llc_hit)      /* the same, clean in this socket's LLC */                                 \
	X(near_dirty)   /* modified in the private cache of a core of this socket */               \
	X(far_dirty)    /* of another socket */                                                    \
	X(far_clean)    /* clean in another socket's LLC only */                                   \
	X(near_upgrade) /* taking a line to write that others of this socket share */              \
	X(far_upgrade)  /* ... that other sockets share */                                         \
	X(dram_local)   /* from memory of this node */                                             \
	X(dram_remote)  /* of another node */                                                      \
	X(atomic)       /* a locked instruction, added to its access */                            \
	X(directory)    /* how long a clean fill of a hot line occupies its directory */           \
	X(dram_mbps)    /* bandwidth of a node's memory, MB/s */                                   \
	X(link_mbps)    /* of a socket's links to the others, MB/s */                              \
	X(tlb_entries)  /* second level, data */                                                   \
	X(tlb_ways)                                                                                \
	X(tlb_miss)  /* a page walk that hits the caches */                                        \
	X(pcid)      /* 1: a CR3 write keeps the TLB */                                            \
	X(cr3_write) /* the instruction alone */                                                   \
	X(invlpg)                                                                                  \
	X(syscall) /* SYSCALL */                                                                   \
	X(sysret)  /* SYSRET */                                                                    \
	X(iret)    /* delivery of the interrupt or fault and its IRET, together */                 \
	X(wrmsr)                                                                                   \
	X(rdmsr)                                                                                   \
	X(ipi)       /* from the write of the ICR to the first instruction of the handler */       \
	X(halt_wake) /* a halted core's way back, added to it */                                   \
	X(mmio)      /* an access to a device */                                                   \
	X(rdtsc)                                                                                   \
	X(cpuid)                                                                                   \
	X(pause)                                                                                   \
	X(xsave) /* XSAVE*, XRSTOR*, FXSAVE, FXRSTOR */                                            \
	X(fence) /* MFENCE, LFENCE, serialising */

struct machine {
#define X(key) uint64_t key;
	MACHINE_KEYS(X)
#undef X
};

/**
 * Read a description.
 *
 * @path     of the file
 * @message  gets what is wrong, if something is: file, line, key; @size bytes
 * Returns 0 or -1.
 */
int machine_read(struct machine *m, const char *path, char *message, size_t size);

/* Cycles as nanoseconds, and back. */
uint64_t machine_ns(const struct machine *m, uint64_t cycles);
uint64_t machine_cycles(const struct machine *m, uint64_t ns);

#endif
