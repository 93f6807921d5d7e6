// pool.toml's [data] and the importer's manifest say the same thing; this turns one into the other. JSON carries a
// manifest, or what was made of a hold-out, from one process of this program to another.
#pragma once

#include "cli/app/json.h"
#include "pool/types/task.h"
#include "train/data/data_manifest.h"
#include "train/data/hold_out_slices.h"

namespace cultivar {

Data data_of(const DataManifest& manifest);
DataManifest manifest_of(const Data& data);

Json to_json(const DataManifest& manifest);
DataManifest manifest_from(const Json& json);  // of to_json() alone
Json to_json(const HoldOutMade& made);
HoldOutMade hold_out_from(const Json& json);

}  // namespace cultivar
