/** Threads that cut the rows of a loop between them. */
#ifndef KERN_HOST_TEAM_H
#define KERN_HOST_TEAM_H

#include <glib.h>
#include <stddef.h>

typedef struct KernHostTeam KernHostTeam;

/** Does rows @first to @first + @count - 1. */
typedef void (*KernHostWork)(void *data, size_t first, size_t count);

/** Starts a team of @threads, the caller among them. */
KernHostTeam *kern_host_team_new(int threads);
void kern_host_team_free(KernHostTeam *team);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KernHostTeam, kern_host_team_free)

/** Runs @work over @rows rows in equal parts; returns when all are done. */
void kern_host_team_run(KernHostTeam *team, KernHostWork work, void *data, size_t rows);

#endif
