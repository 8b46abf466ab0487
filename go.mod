module github.com/kansu-dev/kansu

go 1.26

require (
	github.com/cogentcore/webgpu v0.23.0 // indirect
	github.com/stretchr/testify v1.12.1 // indirect
)
