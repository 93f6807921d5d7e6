# Writes OUTPUT, the values of cli/commands/version.h, if they changed. Run at each build.
execute_process(COMMAND git -C ${SOURCE_DIR} rev-parse HEAD OUTPUT_VARIABLE name OUTPUT_STRIP_TRAILING_WHITESPACE
                ERROR_QUIET)
if(NOT name)
  set(name unknown)
endif()
string(SUBSTRING ${name} 0 12 commit)
set(text "#include \"cli/commands/version.h\"\n\nnamespace cultivar {\n\n")
foreach(pair IN ITEMS "Version=${VERSION}" "Commit=${commit}" "CommitName=${name}" "BuildType=${BUILD_TYPE}"
                      "Compiler=${COMPILER}")
  string(REPLACE "=" ";" pair "${pair}")
  list(GET pair 0 constant)
  list(GET pair 1 value)
  string(APPEND text "const char* const k${constant} = \"${value}\";\n")
endforeach()
string(APPEND text "\n}  // namespace cultivar\n")
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "${text}" @ONLY)
