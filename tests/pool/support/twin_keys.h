// Two keys with fingerprints that begin alike: b4b7e2c5. 100,000 keys were tried to find them; one that begins like a given
// key takes some 2^32 tries.
#pragma once

namespace cultivar {

inline constexpr const char* kTwinKeys[] = {
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIGtvN0k2I5nKh6DQaPJuujgH0jgMOiPm7SCSgnxruaIX\n"
    "-----END PRIVATE KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIKhM2HqS6NPrSHvoRsjl+Bsch8mmlezt2OCg+lDgtkQd\n"
    "-----END PRIVATE KEY-----\n",
};

}  // namespace cultivar
