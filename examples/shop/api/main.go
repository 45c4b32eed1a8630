// The shop's orders.
package main

import (
	"github.com/gin-gonic/gin"
	"golang.org/x/crypto/bcrypt"
)

func main() {
	_, _ = bcrypt.GenerateFromPassword([]byte("x"), bcrypt.MinCost)
	_ = gin.Default().Run()
}
