/** The data folder: catalogs, profiles and the scenarios that come with them. */
#ifndef SCEN_DATA_H
#define SCEN_DATA_H

/** $ORRERY_DATA_DIR; where that is not set, share/orrery beside the folder bin or lib that this code
 *  runs from; where there is none, the source tree. The caller owns it. */
char *scen_data_folder(void);

#endif
