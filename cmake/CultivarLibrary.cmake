# Headers that nearly every file includes, precompiled once. A folder with compile options of its own goes without
# (PLAIN): a precompiled header serves only files with the same options.
#
# Checks compile several files of a folder as one (CMAKE_UNITY_BUILD), which halves the time of a build and takes five
# sixths of lint's. So two files of a folder may not give one name to two things, not even in anonymous namespaces.
add_library(cultivar_headers OBJECT ${PROJECT_SOURCE_DIR}/cmake/headers.cpp)
target_link_libraries(cultivar_headers PRIVATE cultivar_settings fmt::fmt tl::expected)
target_precompile_headers(cultivar_headers PRIVATE <fmt/format.h> <tl/expected.hpp> <algorithm> <functional> <map>
                                                   <memory> <optional> <string> <string_view> <vector>)

# cultivar_library(FOLDER [PLAIN] [NAME name] SOURCES... [PUBLIC...] [PRIVATE...]) makes one library of one folder,
# named after it: pool/util becomes pool_util. Its links are its wall: a file may include its own folder, its links, and
# their public links (scripts/check-architecture). PUBLIC: needed by its headers.
function(cultivar_library folder)
  cmake_parse_arguments(arg "PLAIN" "NAME" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  if(NOT arg_NAME)
    string(REPLACE / _ arg_NAME ${folder})
  endif()
  list(TRANSFORM arg_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/${folder}/)
  add_library(${arg_NAME} STATIC ${arg_SOURCES})
  target_link_libraries(${arg_NAME} PUBLIC cultivar_settings ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
  if(arg_PLAIN)
    set_target_properties(${arg_NAME} PROPERTIES UNITY_BUILD OFF)
  else()
    target_precompile_headers(${arg_NAME} REUSE_FROM cultivar_headers)
  endif()
endfunction()
