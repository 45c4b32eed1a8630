module example.org/shop // the shop

go 1.25.0

toolchain go1.25.3

require (
	github.com/docker/docker v24.0.7+incompatible
	github.com/stretchr/testify v1.8.0
	golang.org/x/text v0.14.0 // a comment
	gopkg.in/yaml.v3 v3.0.1 // indirect
)

require example.org/inner v0.0.0

require (
	github.com/pkg/errors v0.9.0
	golang.org/x/net v0.24.0
	rsc.io/quote v1.5.2
)

require (
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/docker/go-connections v0.8.2 // indirect
	github.com/docker/go-units v0.5.0 // indirect
	github.com/gogo/protobuf v1.3.2 // indirect
	github.com/opencontainers/go-digest v1.0.0 // indirect
	github.com/opencontainers/image-spec v1.1.1 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	golang.org/x/mod v0.17.0 // indirect
	golang.org/x/sync v0.7.0 // indirect
	golang.org/x/tools v0.20.0 // indirect
	gotest.tools/v3 v3.5.2 // indirect
	rsc.io/sampler v1.3.0 // indirect
)

replace example.org/inner => ./inner

replace (
	github.com/pkg/errors v0.9.0 => github.com/pkg/errors v0.9.1
	golang.org/x/net v0.1.0 => ./inner
	rsc.io/quote => rsc.io/quote v1.5.1
	rsc.io/quote v1.0.0 => ../nowhere
)

exclude golang.org/x/net v0.18.0

retract [v1.0.0, v1.1.0] // bad

retract v0.9.0

tool golang.org/x/tools/cmd/stringer
