/** The machine at hand: what it is, and which of its CPUs may be used. */
#ifndef KERN_HOST_MACHINE_H
#define KERN_HOST_MACHINE_H

#include <glib.h>
#include <stdbool.h>

enum { KERN_HOST_CACHES = 4, KERN_HOST_CPUS = 1024 };

/** A machine. Sizes that the system does not tell are 0. */
typedef struct KernHostMachine {
    char model[128];
    double clock_hz;                      /* highest that the system tells */
    double memory_bytes;                  /* DRAM */
    double cache_bytes[KERN_HOST_CACHES]; /* by level, data or unified, of one instance */
    double last_cache_bytes;              /* of the largest level */
    int cpus;                             /* that this process may use */
    int cpu[KERN_HOST_CPUS];              /* their numbers, @cpus of them */
} KernHostMachine;

/** Reads /proc and /sys. Never fails; a model that is not told is "unknown". */
void kern_host_machine_read(KernHostMachine *machine);

/** Confines the process, and the threads that it starts from now on, to the first @threads CPUs.
 *  Fails with KERN_HOST_ERROR_CPU when there are fewer. */
bool kern_host_machine_confine(const KernHostMachine *machine, int threads, GError **error);

/** Pins the threads that the process has, in the order of their numbers, to one CPU each of the
 *  first @threads, again from the first when there are more of them. */
void kern_host_machine_pin(const KernHostMachine *machine, int threads);

/** Lets the process use all the CPUs of @machine again. */
void kern_host_machine_release(const KernHostMachine *machine);

/** Seconds on the clock that suits @threads: of this thread's own work for one, of the wall for
 *  several. Only differences mean something. */
double kern_host_clock_s(int threads);

#endif
