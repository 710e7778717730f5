/** A folder of files for readers that only open paths. */
#ifndef FUZZ_FOLDER_H
#define FUZZ_FOLDER_H

#include <glib.h>

/** A new empty folder, in memory or $TMPDIR. Free with fuzz_folder_free(). */
char *fuzz_folder_new(void);

/** Writes @size bytes of @data to the file @name of @folder; the caller owns the path. */
char *fuzz_folder_put(const char *folder, const char *name, const void *data, size_t size);

/** Deletes @folder and its files (it has no folders in it) and frees the path. */
void fuzz_folder_free(char *folder);

#endif
